"""Values as people read them."""

import pytest
from pivotscope_collector.cli.format import counted, signed


@pytest.mark.parametrize(
    ("difference", "values", "text"),
    [
        (-2.98e-07, (100.0, 100.0), "0"),
        (-2.98e-07, (30.6, 30.6), "0"),
        (-0.4, (100.0, 99.6), "-0.4"),
        (2.98e-07, (0.0, 2.98e-07), "+2.98e-07"),
        (12.345, (12.345, 0.0), "+12.3"),
        (0.0, (), "0"),
        (0.25, (), "+0.25"),
    ],
)
def test_a_difference_is_no_finer_than_the_values_it_is_of(
    difference: float, values: tuple[float, ...], text: str
) -> None:
    assert signed(difference, *values) == text


def test_one_thing_is_named_as_one() -> None:
    assert (counted(1, "file"), counted(0, "file"), counted(1234, "file")) == ("1 file", "0 files", "1,234 files")
    assert (counted(1, "process", "processes"), counted(2, "process", "processes")) == ("1 process", "2 processes")
