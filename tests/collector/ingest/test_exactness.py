"""Counts are exact after repetitions in other groupings, and after writers that were killed."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.ingest.cardinality import OTHER, Cardinality, Names
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.settings import NameBounds
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.taken import taken
from pivotscope_collector.store.writer import Writer

from tests.collector.store.conftest import SetClock

pytestmark = pytest.mark.engine

FUNCTIONS, STACKS = 30, 60


class _Ahead(SystemClock):
    """The machine's clock, moved on so that roll-ups find everything settled."""

    ahead_ns = 0

    def unix_ns(self) -> int:
        return super().unix_ns() + self.ahead_ns


def _definitions(chance: random.Random) -> tuple[pb.Definitions, dict[int, list[int]]]:
    made = pb.Definitions(processes=[pb.Process(id=1, service="shop", language=pb.LANGUAGE_PYTHON)])
    for number in range(1, FUNCTIONS + 1):
        made.functions.add(
            id=number, qualified_name=f"f{number}", language=pb.LANGUAGE_PYTHON, owner=pb.OWNER_APPLICATION
        )
    stacks = {number: chance.choices(range(1, FUNCTIONS + 1), k=8) for number in range(1, STACKS + 1)}
    for number, functions in stacks.items():
        made.stacks.add(id=number, functions=functions)
    return made, stacks


def _batch(chance: random.Random, sequence: int, start_ns: int) -> pb.Batch:
    batch = pb.Batch(sequence=sequence)
    for _ in range(3):
        rows = [chance.randint(1, STACKS) for _ in range(20)]
        batch.windows.add(
            process=1,
            mode=pb.MODE_GIL,
            outcome=pb.OUTCOME_COMPLETE,
            started_unix_ns=start_ns + chance.randrange(600 * 10**9),
            duration_ns=10**10,
            ticks=200,
            usage=pb.Usage(cpu_user_ns=chance.randrange(10**10)),
            stacks=rows,
            lines=[chance.randint(0, 50) for _ in rows],
            counts=[chance.randint(1, 9) for _ in rows],
            native_counts=[0 for _ in rows],
        )
    return batch


def _rows(received: Sequence[Received]) -> Rows:
    rows = decode(received)
    assert rows is not None
    return rows


@pytest.mark.parametrize("seed", range(2))
def test_any_grouping_of_any_repetition_comes_out_exact(store: Client, seed: int) -> None:
    chance = random.Random(seed)
    start_ns = time.time_ns() - 1200 * 10**9
    definitions, stacks = _definitions(chance)
    dictionary = Dictionary(Limits())
    dictionary.define(definitions)
    batches = [_batch(chance, sequence, start_ns) for sequence in range(1, 41)]
    clock, counters = _Ahead(), Counters()
    roll_up = RollUp(store, clock, Reception(store, clock), counters, margin_seconds=30.0, raw_days=14)
    due = batches + chance.choices(batches, k=30)
    chance.shuffle(due)
    writer = Writer(store, Reception(store, clock), counters, 30.0)
    while due:
        size = chance.randint(1, 12)
        group, due = due[:size], due[size:]
        writer.write(_rows([Received(batch, dictionary, Origin("a", 1)) for batch in group]))
        if chance.random() < 0.3:
            writer = Writer(store, Reception(store, clock), counters, 30.0)
        if chance.random() < 0.4:
            clock.ahead_ns += 40 * 10**9
            roll_up.run()
    totals: Counter[str] = Counter()
    for batch in batches:
        for window in batch.windows:
            for stack, count in zip(window.stacks, window.counts, strict=True):
                totals.update({f"f{function}": count for function in set(stacks[stack])})
    selection = Selection(start_ns, time.time_ns())
    cpu = sum(window.usage.cpu_user_ns for batch in batches for window in batch.windows)
    names = {row[0]: row[4] for row in dictionary.functions.values()}
    for rolled in (False, True):
        if rolled:
            clock.ahead_ns += 120 * 10**9
            roll_up.run()
            assert reader.locate(store, selection).dirty == ()
        found = reader.functions(store, selection)
        assert {names[key]: total for key, total in zip(found["function_id"], found["total"], strict=True)} == totals
        (pool,) = zip(*(reader.pools(store, selection)[name] for name in ("windows", "complete_cpu_ns")), strict=True)
        assert pool == (120, cpu)
    lines = store.run("SELECT sum(count) AS n FROM samples WHERE line > 0")["n"]
    assert lines == [
        sum(
            count
            for batch in batches
            for window in batch.windows
            for line, count in zip(window.lines, window.counts, strict=True)
            if line
        )
    ]


WRITER = """
import sys, time
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.store import reader, schema
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.writer import Writer

path, first, start_ns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = Client(path=path, database="crash")
schema.migrate(client)
dictionary = Dictionary(Limits())
dictionary.define(pb.Definitions(
    processes=[pb.Process(id=1, service="shop", language=1)],
    functions=[pb.Function(id=1, qualified_name="f", language=1, owner=1)],
    stacks=[pb.Stack(id=1, functions=[1])],
))
if first == 0:
    found = reader.functions(client, reader.Selection(start_ns, time.time_ns()))
    print(found["total"], client.run("SELECT count() AS n FROM windows FINAL")["n"], flush=True)
    client.close()
    sys.exit()
writer = Writer(client, Reception(client, SystemClock()), Counters(), 30.0)
for sequence in range(first, 10**6):
    batch = pb.Batch(sequence=sequence)
    batch.windows.add(process=1, mode=2, outcome=1, started_unix_ns=start_ns, duration_ns=10**9, ticks=20,
                      stacks=[1], lines=[3], counts=[7], native_counts=[0])
    writer.write(decode([Received(batch, dictionary, Origin("a", 1))]))
    print(sequence, flush=True)
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    start_ns = time.time_ns() - 300 * 10**9
    run = [sys.executable, "-c", WRITER, str(tmp_path / "data")]
    acknowledged = 0
    for kill in range(2):
        first = max(1, acknowledged - 3)
        with subprocess.Popen([*run, str(first), str(start_ns)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                acknowledged = int(line)
                if acknowledged >= first + 6 + kill:
                    break
            writer.kill()
            # What the pipe still held was acknowledged too.
            for line in writer.stdout:
                acknowledged = int(line)
    check = subprocess.run([*run, "0", str(start_ns)], capture_output=True, text=True, check=True)
    totals, windows = (int(part.strip("[]")) for part in check.stdout.split())
    # The batch under way when the last writer died may be there as well.
    assert windows in {acknowledged, acknowledged + 1}
    assert totals == 7 * windows


def test_resending_from_scratch_is_no_new_data(
    store: Client, batch: Callable[..., pb.Batch], dictionary: Dictionary
) -> None:
    for _ in range(3):
        writer = Writer(store, Reception(store, SystemClock()), Counters(), 30.0)
        writer.write(_rows([Received(batch(), dictionary, Origin("a", 1))]))
    assert store.run("SELECT count() AS n FROM windows FINAL")["n"] == [1]
    assert store.run("SELECT sum(count) AS n FROM samples")["n"] == [4]


def test_a_batch_beyond_a_bound_of_names_counts_once_though_the_collector_starts_anew(store: Client) -> None:
    """It was stored and not acknowledged, and its names are those of the first time."""
    clock = SetClock()
    now_ns = clock.unix_ns()

    def collector(versions: Sequence[str]) -> None:
        cardinality = Cardinality(NameBounds(versions=2), clock, Counters())
        cardinality.take_up(taken(store, cardinality.today))
        for version in versions:
            dictionary = Dictionary(Limits(), names=Names(cardinality, "agents"))
            process = pb.Process(id=1, service="shop", version=version, language=pb.LANGUAGE_PYTHON)
            dictionary.define(pb.Definitions(processes=[process]))
            batch = pb.Batch(sequence=1)
            batch.windows.add(
                process=1, mode=pb.MODE_GIL, outcome=pb.OUTCOME_SKIPPED, started_unix_ns=now_ns, duration_ns=10**10
            )
            received = Received(batch, dictionary, Origin(f"agent of {version}", 1), now_ns)
            Writer(store, Reception(store, clock), Counters(), 30.0).write(_rows([received]))

    collector(["one", "two", "three", "four"])
    collector(["four", "two", "three", "one"])
    found = store.run("SELECT agent, version FROM windows FINAL ORDER BY agent")
    assert dict(zip(found["agent"], found["version"], strict=True)) == {
        "agent of one": "one", "agent of two": "two", "agent of three": OTHER, "agent of four": OTHER
    }  # fmt: skip
    assert len(found["agent"]) == 4
