from pivotscope_collector.reports.sparkline import sparkline


def test_blocks_reach_from_nothing_to_the_largest() -> None:
    assert sparkline([0.0, 1.0, 2.0, 4.0, 8.0]) == "▁▂▃▅█"


def test_absent_values_are_dots() -> None:
    assert sparkline([None, 1.0, None]) == "·█·"


def test_nothing_but_zeros_and_nothing_at_all() -> None:
    assert sparkline([0.0, 0.0]) == "▁▁"
    assert sparkline([]) == ""
