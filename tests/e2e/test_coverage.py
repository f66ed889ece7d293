"""A short form of `python -m tests.bench --only coverage`."""

import pytest

from tests.bench.coverage import cover, covered

pytestmark = [pytest.mark.e2e, pytest.mark.python_target, pytest.mark.slow]

AMPLE = "[budget]\ntarget_cpu = 64.0\nhost_cpu = 64.0\nstopped = 1.0\n[sampling]\nwindow_seconds = 1\n"


def test_windows_of_one_target_follow_each_other_without_a_hole() -> None:
    found = cover(1, 6.0, AMPLE)
    assert found.of_time >= 0.98


def test_with_fewer_slots_than_targets_every_target_is_seen() -> None:
    found = cover(6, 10.0, AMPLE + "slots = 2\n", slots=2)
    assert found.seen == 6
    assert found.of_slots <= 1.05
    assert found.least > 0.0


def test_coverage_by_the_lines_of_an_agent() -> None:
    text = """
a[1] gil/complete 15.00s cpu=1s
b[2] none/skipped 15.00s cpu=1s
b[2] active/complete 5.00s cpu=1s
b[2] none/skipped 10.00s cpu=1s
a[1] gil/complete 15.00s cpu=1s
"""
    found = covered(text, 2, 2)
    assert (found.seen, found.of_time, found.longest_s) == (2, 35.0 / 60.0, 15.0)
    assert (found.of_slots, found.least) == (35.0 / 60.0, 5.0 / 30.0)
