from pivotscope_agent.cli.output import columns


def test_columns_are_as_wide_as_they_need() -> None:
    assert columns(("A", "LONG"), [("xyz", "1"), ("x", "")]) == "A    LONG\nxyz  1\nx"
