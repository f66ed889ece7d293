from collections.abc import Callable
from random import Random

import pytest
from pivotscope.profile.metric import MetricKind, MetricRole, MetricSeries
from pivotscope_agent.metrics.mapping import Mapped, Value
from pivotscope_agent.metrics.prefork import PROBES, PreforkDetector
from pivotscope_agent.metrics.source import Source

SERIES = MetricSeries("shop", "", "", "", "a", "requests", MetricKind.COUNTER, MetricRole.REQUESTS)
SECOND = 1_000_000_000


class Judge:
    """A detector that is asked once a second."""

    def __init__(self) -> None:
        self._detector = PreforkDetector()
        self.needs_probing, self.probed = self._detector.needs_probing, self._detector.probed
        self.asked_unix_ns = 0

    def judge(self, source: Source, page: Mapped) -> str:
        self.asked_unix_ns += SECOND
        return self._detector.judge(source, page, self.asked_unix_ns)


def page(value: float, *, created: int = 0, process_start: float | None = None) -> Mapped:
    return Mapped((Value(SERIES, value, created_unix_ns=created),), process_start_s=process_start)


@pytest.fixture
def detector() -> Judge:
    return Judge()


def test_growing_counters_are_taken(detector: Judge, source: Callable[..., Source]) -> None:
    assert [detector.judge(source(processes=4), page(value)) for value in (38, 50, 50, 69)] == [""] * 4


def test_a_counter_that_goes_back_under_the_same_processes_is_refused(
    detector: Judge, source: Callable[..., Source]
) -> None:
    behind = source(processes=4)
    detector.judge(behind, page(69))
    assert detector.judge(behind, page(38)) == "requests went back from 69 to 38 though no process began anew"
    assert detector.judge(behind, page(80)), "it stays refused"


def test_another_process_answering_is_refused_even_if_counters_grow(
    detector: Judge, source: Callable[..., Source]
) -> None:
    behind = source(processes=4)
    detector.judge(behind, page(38, process_start=1.0))
    assert detector.judge(behind, page(50, process_start=2.0)) == "answered by another process than before"


def test_a_restart_is_no_prefork(detector: Judge, source: Callable[..., Source]) -> None:
    detector.judge(source(), page(69, process_start=1.0))
    assert detector.judge(source(first_pid=11), page(3, process_start=2.0)) == ""


def test_a_counter_that_the_application_made_anew_is_no_prefork(detector: Judge, source: Callable[..., Source]) -> None:
    detector.judge(source(), page(69, created=5))
    assert detector.judge(source(), page(3, created=6)) == ""


def test_new_processes_are_given_another_chance(detector: Judge, source: Callable[..., Source]) -> None:
    detector.judge(source(processes=2), page(69))
    assert detector.judge(source(processes=2), page(3))
    again = source(processes=3)
    assert detector.needs_probing(again, page(70))
    assert detector.judge(again, page(70)) == ""
    detector.probed(again)
    assert not detector.needs_probing(again, page(70))


def test_one_process_needs_no_probing(detector: Judge, source: Callable[..., Source]) -> None:
    assert not detector.needs_probing(source(), page(70))


def test_a_page_declared_as_a_sum_is_believed(detector: Judge, source: Callable[..., Source]) -> None:
    behind = source(processes=4, aggregated=True)
    assert not detector.needs_probing(behind, page(69))
    detector.judge(behind, page(69))
    assert detector.judge(behind, page(3)) == ""


def test_probing_recognises_workers_under_load_nearly_always(source: Callable[..., Source]) -> None:
    random, missed = Random(3), 0
    behind = source(processes=4)
    for _ in range(2_000):
        workers = random.sample(range(1_000), 4)
        detector = Judge()
        verdicts = [detector.judge(behind, page(random.choice(workers))) for _ in range(PROBES)]
        missed += not verdicts[-1]
    assert missed <= 20


def test_before_anything_is_counted_there_is_nothing_to_probe(detector: Judge, source: Callable[..., Source]) -> None:
    behind = source(processes=4)
    assert not detector.needs_probing(behind, page(0))
    assert detector.judge(behind, page(0)) == ""
    assert detector.needs_probing(behind, page(1))


def test_a_series_that_began_earlier_than_it_said_is_refused(detector: Judge, source: Callable[..., Source]) -> None:
    behind = source(processes=4)
    assert detector.judge(behind, page(3, created=7)) == ""
    assert detector.judge(behind, page(9, created=5)) == "requests began at another time than it said before"


def test_another_worker_that_counts_more_is_refused_by_when_it_began(
    detector: Judge, source: Callable[..., Source]
) -> None:
    """By chance the first worker answered every probe: nothing went back, and its numbers were believed."""
    behind = source(processes=4)
    for number in range(PROBES):
        assert detector.judge(behind, page(38 + number, created=5)) == ""
    assert detector.judge(behind, page(500, created=7)) == "requests began at another time than it said before"
    assert detector.judge(behind, page(50, created=5)), "it stays refused"


def test_a_series_that_began_anew_since_the_last_answer_may_count_more(
    detector: Judge, source: Callable[..., Source]
) -> None:
    behind = source(processes=4)
    assert detector.judge(behind, page(38, created=5)) == ""
    assert detector.judge(behind, page(500, created=detector.asked_unix_ns + 1)) == ""


def test_one_process_may_sum_other_series_than_before(detector: Judge, source: Callable[..., Source]) -> None:
    """A label's value that was taken out of the registry leaves a sum that began later."""
    assert detector.judge(source(), page(38, created=5)) == ""
    assert detector.judge(source(), page(40, created=7)) == ""


def test_no_answer_of_another_worker_passes_where_pages_say_since_when(source: Callable[..., Source]) -> None:
    random = Random(5)
    behind = source(processes=4)
    for _ in range(500):
        counts, began = [random.randrange(1_000) for _ in range(4)], random.sample(range(1, 10_000), 4)
        detector, first = Judge(), None
        for _ in range(20):
            worker = random.randrange(4)
            counts[worker] += random.randrange(100)
            first = worker if first is None else first
            refused = detector.judge(behind, page(counts[worker], created=began[worker]))
            assert refused or worker == first
