"""Growth and days left, by arithmetic."""

from math import inf

from pivotscope_collector.store.storage import TableCost, days_left

GB = 10**9


def cost(table: str, size: int, ttl: int, span: float) -> TableCost:
    return TableCost(table, 1, size, ttl, 1, 1, span)


def test_a_table_by_time_grows_by_what_its_span_says() -> None:
    assert cost("windows", 10 * GB, 17, 10.0).bytes_a_day(99.0) == GB
    assert cost("functions", 10 * GB, 1825, 0.0).bytes_a_day(100.0) == GB / 10


def test_what_expires_makes_room() -> None:
    raw = cost("windows", 10 * GB, 17, 10.0)
    assert days_left([raw], 8 * GB, 10.0) == inf
    assert days_left([raw], 6 * GB, 10.0) == 6.0
    assert days_left([cost("windows", 17 * GB, 17, 17.0)], 0.5 * GB, 17.0) == inf


def test_tables_add_up_until_the_first_is_full() -> None:
    raw, days = cost("windows", 10 * GB, 17, 10.0), cost("functions_day", 5 * GB, 1825, 10.0)
    # For seven days 1.5 GB a day, then half a gigabyte.
    assert days_left([raw, days], 12.5 * GB, 10.0) == 7.0 + 4.0
    assert days_left([cost("journal", GB, 0, 0.0)], 3 * GB, 1.0) == 3.0


def test_nothing_stored_lasts_for_ever() -> None:
    assert days_left([], 1.0, 1.0) == inf
    assert days_left([cost("windows", 0, 17, 0.0)], 1.0, 1.0) == inf
