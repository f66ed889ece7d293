"""The agent's pipeline against the collector's own ingest, over a socket file; only the store is a list."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from grpc import aio
from pivotscope.profile.facts import CodebaseFacts, FileFacts, FunctionFacts
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope.profile.metric import MetricKind, MetricPoint, MetricRole, MetricSeries
from pivotscope.profile.window import Mode, Outcome, Process, Sample, Usage, Window
from pivotscope_agent.clock import SystemClock as AgentClock
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.export import ExportState, Identity
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.pipeline import Pipeline
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.telemetry.counters import Count, Counters
from pivotscope_collector.clock import SystemClock as CollectorClock
from pivotscope_collector.counters import Counters as CollectorCounters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.desired import Desired
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.service import AgentService
from pivotscope_collector.security.audit import Audit
from pivotscope_collector.security.book import TokenBook
from pivotscope_collector.security.doorman import Doorman
from pivotscope_collector.security.rate import Buckets
from pivotscope_collector.store.client import Client, Columns
from pivotscope_collector.store.rows import WINDOW, Rows

TOKEN = "a-shared-token"
SEQUENCE = WINDOW.index("sequence")
POSITION = WINDOW.index("position")


class NoHistory:
    """Stands for the store where a session asks when an agent was first seen."""

    def query(self, _name: str, _parameters: object = None) -> Columns:
        return {"first_seen": []}

    def writes(self, _table: str) -> int | None:
        return 0


@dataclass
class Store:
    """Rows as they would be inserted; fails as often as told."""

    failures: int = 0
    groups: list[Rows] = field(default_factory=list)

    def write(self, rows: Rows) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("the store is away")
        self.groups.append(rows)

    @property
    def windows(self) -> set[tuple[object, object]]:
        """(sequence, position) of every window stored: the identity that counts once."""
        return {(row[SEQUENCE], row[POSITION]) for group in self.groups for row in group.windows}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    counters = CollectorCounters()
    kept = Store()
    committer = Committer(kept.write, counters, seconds=0.01, rows=20_000)
    committer.start()
    nothing, clock = cast("Client", NoHistory()), CollectorClock()
    book = TokenBook(nothing, clock, lambda: TOKEN)
    book.refresh()
    calls, streams = Buckets(20.0, clock.monotonic), Buckets(200.0, clock.monotonic)
    doorman = Doorman(book, calls, streams, Audit(nothing, clock, counters), counters)
    server = aio.server(interceptors=[doorman])
    service = AgentService(
        cast("Client", NoHistory()),
        committer,
        CollectorClock(),
        counters,
        version="0",
        limits=Limits(),
        desired=Desired(cast("Client", NoHistory()), CollectorClock()),
    )
    service.add_to(server)
    server.add_insecure_port(f"unix:{tmp_path}/collector.sock")
    await server.start()
    yield kept
    await server.stop(0)
    await committer.close()


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Callable[..., tuple[Pipeline, Counters]]]:
    made: list[Pipeline] = []

    def make(token: str = TOKEN) -> tuple[Pipeline, Counters]:
        (tmp_path / "token").write_text(token)
        counters, clock = Counters(), AgentClock()
        spool = open_spool(SpoolSettings(tmp_path / "spool"), counters=counters, clock=clock)
        pipeline = Pipeline(
            Endpoint(f"unix:{tmp_path}/collector.sock", tmp_path / "token"),
            Identity("agent-1", "0.1.0", "host-1", ("python",)),
            spool,
            counters=counters,
            clock=clock,
            random=Random(1),
            targets=lambda: 1,
            on_command=print,
        )
        pipeline.start()
        made.append(pipeline)
        return pipeline, counters

    yield make
    for pipeline in made:
        await pipeline.close(0)


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a condition has no event
            await asyncio.sleep(0.005)


def window(number: int) -> Window:
    process = Process("shop", "", "1", "", "shop-1", "host-1", 7, 1, Language.PYTHON)
    functions = tuple(Function("shop", Language.PYTHON, "app.py", f"f{number % 5 + n}") for n in range(3))
    return Window(
        process,
        Mode.GIL,
        Outcome.COMPLETE,
        time.time_ns() - 10_000_000_000,
        10_000_000_000,
        Usage(cpu_user_ns=1_000),
        rate_hz=50,
        ticks=499,
        samples=(Sample(functions, 3, 4, 1),),
    )


async def test_everything_arrives(store: Store, agent: Callable[..., tuple[Pipeline, Counters]]) -> None:
    pipeline, counters = agent()
    now = time.time_ns()
    series = MetricSeries(
        "shop", "", "", "new", "a", "seconds", MetricKind.HISTOGRAM, MetricRole.LATENCY, bounds=(0.1,)
    )
    pipeline.offer(
        [
            window(1),
            MetricPoint(series, now, now - 5, 1.5, 3, (1, 2)),
            FileFacts("shop", Language.PYTHON, "app.py", "hash", 9, (FunctionFacts("f1", 1, 3),)),
            CodebaseFacts("shop", 4, 400),
        ]
    )
    await eventually(lambda: counters.get(Count.RECORDS_ACKNOWLEDGED) == 1)
    stored = [group for group in store.groups if len(group.windows)]
    assert len(stored) == 1
    (group,) = stored
    assert (len(group.points), len(group.codebases)) == (1, 1)
    assert list(group.samples.count) == [4]
    assert pipeline.status.state is ExportState.STREAMING
    assert abs(pipeline.status.clock_offset_ns) < 1_000_000_000


async def test_a_window_that_is_refused_hurts_no_neighbour_and_keeps_its_cpu(
    store: Store, agent: Callable[..., tuple[Pipeline, Counters]]
) -> None:
    pipeline, counters = agent()
    hours = replace(window(2), duration_ns=2 * 3_600 * 10**9, gap_cpu_ns=5)
    future = replace(window(4), started_unix_ns=time.time_ns() + 86_400 * 10**9, reason="rotation")
    pipeline.offer([window(1), hours, window(3), future])
    await eventually(lambda: counters.get(Count.RECORDS_ACKNOWLEDGED) == 1)
    rows: list[dict[str, Any]] = [
        dict(zip(WINDOW, row, strict=True)) for group in store.groups for row in group.windows
    ]
    assert [(row["position"], row["outcome"], row["samples"]) for row in rows] == [
        (0, "complete", 4), (1, "refused", 0), (2, "complete", 4), (3, "complete", 4)
    ]  # fmt: skip
    assert [row["reason"] for row in rows] == ["", "refused_invalid", "", "future: rotation"]
    assert [row["cpu_user_ns"] + row["gap_cpu_ns"] for row in rows] == [1_000, 1_005, 1_000, 1_000]
    assert abs(rows[3]["started_at"] * 10**6 - time.time_ns()) < 60 * 10**9
    assert counters.get(Count.ITEMS_DROPPED, "part_invalid") == 1
    assert counters.get(Count.RECORDS_DROPPED) == 0
    pipeline.offer([window(5)])
    await eventually(lambda: counters.get(Count.RECORDS_ACKNOWLEDGED) == 2)
    assert {"part_invalid": 1} in [row[-1] for group in store.groups for row in group.agents]


async def test_a_store_that_fails_for_a_while_loses_nothing(
    store: Store, agent: Callable[..., tuple[Pipeline, Counters]]
) -> None:
    pipeline, counters = agent()
    await eventually(lambda: pipeline.status.state is ExportState.STREAMING)
    store.failures = 3

    def spooled(records: int) -> bool:
        return counters.get(Count.RECORDS_SPOOLED) >= records

    for number in range(3):
        pipeline.offer([window(number)] * 2_000)
        await eventually(partial(spooled, number + 1))
    await eventually(lambda: counters.get(Count.RECORDS_ACKNOWLEDGED) == counters.get(Count.RECORDS_SPOOLED))
    assert len(store.windows) == 6_000
    assert counters.get(Count.RECORDS_REJECTED, "store_unavailable") > 0
    assert counters.get(Count.RECORDS_DROPPED) == 0


async def test_a_wrong_token_is_refused_and_said(store: Store, agent: Callable[..., tuple[Pipeline, Counters]]) -> None:
    pipeline, _ = agent(token="wrong")
    pipeline.offer([window(1)])
    await eventually(lambda: pipeline.status.state is ExportState.UNAUTHENTICATED)
    assert "wrong token" in pipeline.status.detail
    assert not store.windows


async def test_what_was_dropped_is_stored_with_the_batch_that_tells_it(
    store: Store, agent: Callable[..., tuple[Pipeline, Counters]]
) -> None:
    pipeline, counters = agent()
    await eventually(lambda: pipeline.status.state is ExportState.STREAMING)
    pipeline._spool.note_dropped("spool_full", 3)
    pipeline.offer([window(1)])
    await eventually(lambda: counters.get(Count.RECORDS_ACKNOWLEDGED) == 1)
    assert {"spool_full": 3} in [row[-1] for group in store.groups for row in group.agents]
