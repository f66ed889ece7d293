from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest import decode as decoding
from pivotscope_collector.ingest.decode import Origin, Received
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.windows import period_ns
from pivotscope_collector.store import rows as r

NOW_NS = 1_795_000_000_000_000_000
ORIGIN = Origin("agent", 3)


def decode(batch: pb.Batch, dictionary: Dictionary, origin: Origin) -> r.Rows:
    rows = decoding.decode([Received(batch, dictionary, origin)])
    assert rows is not None
    return rows


def _window(rows: r.Rows, position: int = 0) -> dict[str, object]:
    return dict(zip(r.WINDOW, rows.windows[position], strict=True))


def test_a_window_keeps_what_was_measured(batch: Callable[..., pb.Batch], dictionary: Dictionary) -> None:
    row = _window(decode(batch(clock_offset_ns=1_500_000_000), dictionary, ORIGIN))
    assert row["minute"] == (NOW_NS + 1_500_000_000) // 60_000_000_000 * 60
    assert row["started_at"] == (NOW_NS + 1_500_000_000) // 1_000_000
    assert row["agent_started_at"] == NOW_NS // 1_000_000
    assert (row["samples"], row["native_samples"], row["period_ns"]) == (4, 1, 50_000_000)
    assert (row["cpu_user_ns"], row["cpu_system_ns"], row["gap_cpu_ns"]) == (3_000_000_000, 1_000_000_000, 5)
    assert (row["threads"], row["run_delay_ns"]) == (0, 2_000_000_000)
    assert (row["service"], row["version"], row["language"], row["mode"]) == ("shop", "v1", "python", "gil")
    assert (row["outcome"], row["agent"], row["epoch"], row["sequence"]) == ("complete", "agent", 3, 1)


def test_samples_keep_their_lines(batch: Callable[..., pb.Batch], dictionary: Dictionary) -> None:
    rows = decode(batch(), dictionary, ORIGIN)
    one, two = dictionary.stack_ids[1:3].tolist()
    columns = (rows.samples.stack_id, rows.samples.line, rows.samples.count, rows.samples.native)
    found = list(zip(*(column.tolist() for column in columns), strict=True))
    assert found == [(one, 10, 1, 0), (two, 20, 2, 1), (one, 11, 1, 0)]
    assert {one, two} <= set(rows.stacks)
    assert {row[4] for row in rows.functions.values()} == {"f1", "f2", "f3"}


def test_unknown_lines_stay_unknown(
    window: Callable[..., pb.Window], batch: Callable[..., pb.Batch], dictionary: Dictionary
) -> None:
    rows = decode(batch(windows=[window(lines=[0, 0, 0])]), dictionary, ORIGIN)
    assert set(rows.samples.line.tolist()) == {0}
    assert rows.samples.count.sum() == 4


def test_the_same_batch_is_the_same_rows_and_another_is_not(
    batch: Callable[..., pb.Batch], dictionary: Dictionary
) -> None:
    def key(made: pb.Batch, origin: Origin = ORIGIN) -> object:
        return _window(decode(made, dictionary, origin))["window_id"]

    assert key(batch()) == key(batch())
    others = {key(batch()), key(batch(sequence=2)), key(batch(), Origin("agent", 4)), key(batch(), Origin("other", 3))}
    assert len(others) == 4


def test_period_is_the_time_to_run_by_look_and_falls_back_to_the_rate() -> None:
    assert period_ns(10_000_000_000, 0, 160, 20) == 62_500_000
    assert period_ns(10_000_000_000, 5, 0, 20) == 50_000_000
    assert period_ns(10_000_000_000, 0, -3, 0) == 0
    assert period_ns(2_000_000_000, 400_000_000, 400, 200) == 4_000_000
    assert period_ns(1_000, 2_000, 1, 1) == 0


def test_points_and_facts(batch: Callable[..., pb.Batch], dictionary: Dictionary) -> None:
    made = batch(
        windows=[],
        points=[pb.MetricPoint(series=2, unix_ns=NOW_NS, start_unix_ns=5, value=2.5, count=3, buckets=[1, 1, 1])],
        files=[
            pb.FileFacts(
                codebase="shop",
                language=pb.LANGUAGE_RUBY,
                path="a.rb",
                content_hash="c",
                functions=[pb.FunctionFacts(qualified_name="A#b", first_line=1, last_line=4, complexity=2)],
            )
        ],
        codebases=[pb.CodebaseFacts(codebase="shop", total_files=3, total_lines=400)],
    )
    rows = decode(made, dictionary, ORIGIN)
    (point,) = (dict(zip(r.POINT, row, strict=True)) for row in rows.points)
    assert (point["at"], point["start_at"], point["value"], point["buckets"]) == (
        NOW_NS // 1_000_000,
        0,
        2.5,
        [1, 1, 1],
    )
    assert point["series_id"] in rows.series
    (facts,) = (dict(zip(r.CODE_FUNCTION, row, strict=True)) for row in rows.code_functions)
    assert (facts["language"], facts["qualified_name"], facts["last_line"]) == ("ruby", "A#b", 4)
    assert rows.codebases == [("shop", 3, 400)]


_ROW = st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(1, 2**32 - 1).map(lambda n: n % 1000 + 1))


@settings(max_examples=50)
@given(st.lists(st.lists(_ROW, max_size=30), max_size=4))
def test_nothing_is_lost_or_made_up(windows: list[list[tuple[int, int, int]]]) -> None:
    dictionary = Dictionary(Limits())
    made = pb.Definitions(processes=[pb.Process(id=1, service="s", language=pb.LANGUAGE_PYTHON)])
    for number in (1, 2):
        made.functions.add(
            id=number, language=pb.LANGUAGE_PYTHON, qualified_name=f"f{number}", owner=pb.OWNER_APPLICATION
        )
    for number, functions in ((1, (1,)), (2, (1, 2)), (3, (1,))):
        made.stacks.add(id=number, functions=functions)
    dictionary.define(made)
    batch = pb.Batch(sequence=1)
    for one in windows:
        batch.windows.add(
            process=1,
            stacks=[row[0] for row in one],
            lines=[row[1] for row in one],
            counts=[row[2] for row in one],
            native_counts=[0 for _ in one],
            mode=pb.MODE_ACTIVE,
            outcome=pb.OUTCOME_COMPLETE,
            rate_hz=10,
        )
    rows = decode(batch, dictionary, ORIGIN)
    sent: Counter[tuple[int, int, int]] = Counter()
    for position, one in enumerate(windows):
        for stack, line, count in one:
            sent[position, int(dictionary.stack_ids[stack]), line] += count
    columns = (rows.samples.window, rows.samples.stack_id, rows.samples.line)
    keys = list(zip(*(column.tolist() for column in columns), strict=True))
    found: Counter[tuple[int, int, int]] = Counter()
    for key, count in zip(keys, rows.samples.count.tolist(), strict=True):
        found[key] += count
    assert found == sent
    assert sorted(rows.samples.window.tolist()) == rows.samples.window.tolist()
    assert [row[r.WINDOW.index("samples")] for row in rows.windows] == [sum(row[2] for row in one) for one in windows]
