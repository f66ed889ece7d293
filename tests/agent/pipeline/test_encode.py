from collections.abc import Callable

from pivotscope.profile.facts import CodebaseFacts, FileFacts
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope.profile.metric import MetricPoint
from pivotscope.profile.window import Mode, Outcome, Sample, Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline import dictionary
from pivotscope_agent.pipeline.encode import MAX_ITEMS, Encoding, encode

BIG = 1 << 20


def run(*items: Window | MetricPoint | FileFacts | CodebaseFacts, limit: int = BIG) -> Encoding:
    return encode(items, clock_offset_ns=5, max_batch_bytes=limit)


def test_items_of_a_tick_share_a_record_and_its_dictionary(
    window: Callable[..., Window], point: MetricPoint, facts: tuple[FileFacts, CodebaseFacts]
) -> None:
    (record,) = run(window(), window(), point, *facts).records
    assert len(record.definitions.processes) == 1
    assert len(record.definitions.stacks) == 2
    assert len(record.batch.windows) == 2
    assert record.batch.clock_offset_ns == 5
    assert record.batch.points[0].buckets == [10, 15, 5]
    assert record.batch.files[0].functions[0].qualified_name == "work"
    assert record.batch.codebases[0].total_files == 12


def test_records_are_split_below_the_limit_and_stay_self_contained(window: Callable[..., Window]) -> None:
    encoding = run(*(window(rows=50) for _ in range(20)), limit=2_000)
    assert len(encoding.records) > 3
    assert sum(len(record.batch.windows) for record in encoding.records) == 20
    for record in encoding.records:
        assert record.batch.ByteSize() <= 2_000
        defined = {stack.id for stack in record.definitions.stacks}
        assert all(set(one.stacks) <= defined for one in record.batch.windows)


def test_no_batch_has_more_items_than_the_collector_takes(window: Callable[..., Window]) -> None:
    one = window(rows=0)
    encoding = run(*[one] * (MAX_ITEMS + 1))
    assert [len(record.batch.windows) for record in encoding.records] == [MAX_ITEMS, 1]


def test_a_window_that_fits_no_message_keeps_its_cpu(window: Callable[..., Window]) -> None:
    encoding = run(window(rows=1), window(rows=2_000), window(rows=1), limit=2_000)
    windows = [one for record in encoding.records for one in record.batch.windows]
    assert [one.outcome for one in windows] == [pb.OUTCOME_COMPLETE, pb.OUTCOME_SAMPLER_FAILED, pb.OUTCOME_COMPLETE]
    assert windows[1].usage.cpu_user_ns == windows[0].usage.cpu_user_ns
    assert not windows[1].stacks
    assert "left out" in windows[1].reason


def test_an_item_out_of_range_is_named_and_costs_no_other(window: Callable[..., Window]) -> None:
    encoding = run(window(), window(gap_cpu_ns=-1), window())
    assert len(encoding.records[0].batch.windows) == 2
    assert len(encoding.refused) == 1
    assert encoding.refused[0].startswith("window of process 42 of shop: ")


def test_rows_that_stand_for_nothing_are_left_out(window: Callable[..., Window]) -> None:
    function = Function("shop", Language.PYTHON, "a.py", "f")
    samples = (Sample((), 0, 3), Sample((function,), 0, 0), Sample((function,), 4, 2, native=9))
    (record,) = run(window(samples=samples)).records
    assert list(record.batch.windows[0].counts) == [2]
    assert list(record.batch.windows[0].native_counts) == [2]


def test_only_complete_windows_carry_samples(window: Callable[..., Window]) -> None:
    (record,) = run(window(outcome=Outcome.SAMPLER_KILLED), window(mode=Mode.NONE)).records
    assert not any(one.stacks for one in record.batch.windows)


def test_paths_that_are_not_utf8_are_escaped(window: Callable[..., Window]) -> None:
    path = b"caf\xe9/\xc3\xa9.py".decode("utf-8", "surrogateescape")
    samples = (Sample((Function("shop", Language.PYTHON, path, "f"),), 0, 1),)
    (record,) = run(window(samples=samples)).records
    assert record.definitions.functions[0].path == "caf\\udce9/é.py"


def test_what_is_too_long_is_cut(window: Callable[..., Window]) -> None:
    function = Function("shop", Language.PYTHON, "a.py", "f" * 10_000)
    deep = Sample((function,) * 10_000, 0, 1)
    (record,) = run(window(samples=(deep,))).records
    assert len(record.definitions.functions[0].qualified_name) == dictionary.MAX_TEXT
    assert len(record.definitions.stacks[0].functions) == dictionary.MAX_DEPTH
