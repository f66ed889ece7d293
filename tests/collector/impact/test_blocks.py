import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope.profile.metric import MetricKind, MetricRole, MetricSeries
from pivotscope_collector.impact.arm import Grid
from pivotscope_collector.impact.blocks import SECOND, SeriesPoints, cadence, choose_block, increments, lay_grid, reads

MINUTE = 60 * SECOND


def series(
    at: list[float], values: list[float], start: float | list[float] = -1000.0, instance: str = "i"
) -> SeriesPoints:
    starts = start if isinstance(start, list) else [start] * len(at)
    return SeriesPoints(
        MetricSeries("shop", "", "", "", instance, "n", MetricKind.COUNTER, MetricRole.REQUESTS),
        (np.array(at) * SECOND).astype(np.int64),
        (np.array(starts) * SECOND).astype(np.int64),
        np.array(values, dtype=float)[:, None],
    )


def steady(until: int, step: int = 10) -> tuple[list[float], list[float]]:
    at = [float(t) for t in range(-step, until + step + 1, step)]
    return at, [t + 100.0 for t in at]


GRID = Grid(0, MINUTE, 5)


@pytest.mark.parametrize(
    ("span", "usual", "seconds"),
    [(120, 5, 10), (250, 5, 10), (300, 5, 15), (600, 5, 30), (600, 45, 60), (1200, 15, 60), (7200, 15, 60),
     (86_400, 15, 60), (7 * 86_400, 15, 900), (20, 25, 30)],
)  # fmt: skip
def test_blocks_fit_the_span(span: int, usual: int, seconds: int) -> None:
    assert choose_block(span * SECOND, usual * SECOND) == seconds * SECOND


def test_a_steady_counter() -> None:
    found = increments([series(*steady(300))], GRID, 1)
    assert found.values[:, 0] == pytest.approx([60.0] * 5)
    assert found.seconds == pytest.approx([60.0] * 5)
    assert (found.reversals, found.gaps) == (0, 0)


def test_points_off_the_edges_lose_nothing() -> None:
    at = [-7.0 + 11 * k for k in range(30)]
    found = increments([series(at, [2 * t for t in at])], GRID, 1)
    assert found.values[:, 0] == pytest.approx([120.0] * 5)


def test_a_reset_counts_from_the_new_start() -> None:
    at, values = steady(300)
    start = [-1000.0 if t < 100 else 95.0 for t in at]
    values = [v if t < 100 else t - 95 for t, v in zip(at, values, strict=True)]
    found = increments([series(at, values, start)], GRID, 1)
    # What was counted between the last read (90 s) and the new start (95 s) is lost: the block was not observed whole.
    assert np.isnan(found.values[1, 0])
    assert found.values[[0, 2, 3, 4], 0] == pytest.approx([60.0] * 4)
    assert found.reversals == 0


def test_a_gap_is_not_bridged() -> None:
    at, values = steady(300)
    kept = [k for k, t in enumerate(at) if not 70 <= t <= 130]
    found = increments([series([at[k] for k in kept], [values[k] for k in kept])], GRID, 1)
    assert found.gaps == 1
    assert np.isnan(found.values[1:3, 0]).all()
    assert found.values[[0, 3, 4], 0] == pytest.approx([60.0] * 3)


def test_a_gap_of_one_instance_spoils_the_sum() -> None:
    at, values = steady(300)
    kept = [k for k, t in enumerate(at) if not 70 <= t <= 130]
    broken = series([at[k] for k in kept], [values[k] for k in kept], instance="j")
    found = increments([series(at, values), broken], GRID, 1)
    assert np.isnan(found.values[1, 0])
    assert found.values[0, 0] == pytest.approx(120.0)


def test_workers_behind_one_address_are_reversals() -> None:
    at, _ = steady(300)
    values = [float(100 + 10 * k + 500 * (k % 2)) for k in range(len(at))]
    found = increments([series(at, values)], GRID, 1)
    assert found.reversals > 0.4 * found.intervals
    assert np.isnan(found.values).all()


def test_a_label_that_appears_late_counts_from_its_instance_last_read() -> None:
    at, values = steady(300)
    late = [t for t in at if t >= 150]
    found = increments([series(at, values), series(late, [3.0] * len(late))], GRID, 1)
    assert found.values[:, 0] == pytest.approx([60, 60, 63, 60, 60])


def test_an_error_counter_is_zero_before_its_first_error() -> None:
    at, values = steady(300)
    late = [t for t in at if t >= 150]
    watched = reads([series(at, values)])
    found = increments([series(late, [3.0] * len(late))], GRID, 1, watched)
    assert found.values[:, 0] == pytest.approx([0, 0, 3, 0, 0])


def test_a_second_page_read_a_moment_later_is_not_new() -> None:
    at, values = steady(300)
    other = [t + 0.1 for t in at]
    found = increments([series(other, [v + 1e6 for v in values])], GRID, 1, reads([series(at, values)]))
    assert np.nanmax(found.values) == pytest.approx(60.0)


def test_the_first_value_of_all_is_where_counting_begins() -> None:
    at = [float(t) for t in range(30, 320, 10)]
    found = increments([series(at, [1000.0 + t for t in at])], GRID, 1)
    assert np.isnan(found.values[0, 0])
    assert found.values[1:, 0] == pytest.approx([60.0] * 4)


def test_an_instance_that_replaces_another() -> None:
    at, values = steady(300)
    old = [k for k, t in enumerate(at) if t <= 120]
    new = [t for t in at if t > 120]
    found = increments(
        [
            series([at[k] for k in old], [values[k] for k in old]),
            series(new, [t - 120 for t in new], 120.0, instance="j"),
        ],
        GRID,
        1,
    )
    assert found.values[:, 0] == pytest.approx([60.0] * 5)


def test_nothing_at_all() -> None:
    assert cadence([]) == 0
    assert lay_grid(0, 5 * SECOND, MINUTE).count == 1
    found = increments([series([5.0], [1.0])], GRID, 1)
    assert np.isnan(found.values).all()


@given(st.lists(st.integers(0, 50), min_size=40, max_size=40), st.integers(0, 59))
def test_increments_sum_to_what_was_counted(steps: list[int], shift: int) -> None:
    at = [float(10 * k - shift) for k in range(40)]
    total = np.cumsum(steps).astype(float)
    found = increments([series(at, total.tolist())], Grid(0, MINUTE, 5), 1)
    expected = np.diff(np.interp(np.arange(6) * 60.0, at, total))
    assert found.values[:, 0] == pytest.approx(expected)
