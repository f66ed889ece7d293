"""The collector as a process: opens the store, listens, runs the jobs, and stops without losing anything."""

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import grpc.aio
from pivotscope.v1 import query_pb2_grpc

from pivotscope_collector.api.backup import Backups
from pivotscope_collector.api.service import AdminService, QueryService
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.doors import policy
from pivotscope_collector.doors.listen import listen, probe
from pivotscope_collector.doors.operating import Operating
from pivotscope_collector.errors import UsageError
from pivotscope_collector.gauges import Gauge, Gauges
from pivotscope_collector.ingest.cardinality import Cardinality
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.desired import Desired
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.service import AgentService
from pivotscope_collector.jobs import plan
from pivotscope_collector.jobs.scheduler import Scheduler
from pivotscope_collector.security.audit import Audit
from pivotscope_collector.security.book import TokenBook
from pivotscope_collector.security.doorman import Doorman
from pivotscope_collector.security.rate import Buckets
from pivotscope_collector.settings import Settings, split_listen
from pivotscope_collector.store import corrections, frozen, merging, schema, storage
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import expire, takes_back_to
from pivotscope_collector.store.reception import Reception, StoreClock
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.taken import taken
from pivotscope_collector.store.writer import Writer

_LOG = logging.getLogger(__name__)
_PLAN_SHARE = 0.1
"""Of the clock, at most, for computing plans."""
_GARBAGE = 50_000
"""Objects before the collector of garbage looks: rows on their way live for a group, and hold no cycles."""
_STOPS = (signal.SIGTERM, signal.SIGINT)
_ANSWER_BYTES = 64 * 2**20
_STREAMS, _STREAMS_SECONDS = 10.0, 10.0
"""Streams that a token may open for each call that it may make, and the seconds of them that it may open at once.

A fleet may have one token, and comes back together after a restart: by default 2,000 agents at once and 200 more a
second, of which each tries again within 15 s.
"""


def open_store(settings: Settings) -> Client:
    """A client for the store that the settings name; nothing is opened before the first call."""
    return Client(
        path="" if settings.clickhouse_url else settings.data_dir,
        url=settings.clickhouse_url,
        user=settings.clickhouse_user,
        password=settings.clickhouse_password,
        database=settings.clickhouse_database,
        cluster=settings.clickhouse_cluster if settings.clickhouse_url else "",
        silence_seconds=settings.silence_seconds,
        # The other half of the margin is for inserts.
        lag_seconds=max(1, int(settings.rollup_margin_seconds / 2)),
    )


async def serve(settings: Settings, port_file: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT; a second one ends the process at once, as a crash would.

    Writes the port to `port_file`, for callers that asked for port 0.
    Raises UsageError and StoreError for what keeps it from starting.
    """
    if port_file:
        _forget_port(port_file)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin_to_stop() -> None:
        stop.set()
        for number in _STOPS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _STOPS:
        loop.add_signal_handler(number, begin_to_stop)
    async with running(settings) as port:
        if port_file:
            _write_port(port_file, port)
        host = split_listen(settings.listen)[0]
        sys.stdout.write(f"listening on {host}:{port}\n")
        sys.stdout.flush()
        await stop.wait()
        _LOG.info("stopping")
        if port_file:
            _forget_port(port_file)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[int]:
    """A collector that serves while the block runs; gives the port.

    It stops in the order of the data: no new streams, what was read is committed, acknowledged, jobs end, store closes.
    What the store does not take within `drain_seconds` stays with the agents.
    """
    probe(settings)
    gc.set_threshold(_GARBAGE)
    client = open_store(settings)
    clock, counters = SystemClock(), Counters()
    operating = Operating(client, counters, Gauges())
    try:
        await operating.open(settings)
        await asyncio.to_thread(_migrate, client, settings)
        back_to = await asyncio.to_thread(takes_back_to, client, clock.unix_ns(), settings.retention.raw_days)
        async with _serving(settings, client, counters, operating, Limits(age_seconds=back_to)) as port:
            yield port
    finally:
        await operating.close()
        client.close()


@asynccontextmanager
async def _serving(
    settings: Settings, client: Client, counters: Counters, operating: Operating, limits: Limits
) -> AsyncIterator[int]:
    """All that needs the store, open and migrated; gives the port."""
    clock, reception = SystemClock(), Reception(client, StoreClock(client))
    book = TokenBook(client, clock, policy.first_token(settings))
    writer = Writer(client, reception, counters, settings.rollup_margin_seconds)
    committer = Committer(
        writer.write,
        counters,
        seconds=settings.commit_seconds,
        rows=settings.commit_rows,
        octets=settings.commit_mb * 1_000_000,
        limits=limits,
        place=lambda astray: corrections.place(client, astray),
    )
    desired = Desired(client, clock)
    cardinality = Cardinality(settings.names, clock, counters)
    agents = AgentService(
        client,
        committer,
        clock,
        counters,
        version=version("pivotscope"),
        limits=limits,
        desired=desired,
        cardinality=cardinality,
        vouch=writer.vouch,
        watch=book.watched,
    )
    dropping = threading.Lock()
    scheduler = _jobs(settings, client, reception, counters, dropping)
    backups = Backups(client, settings.backup_folder, dropping, asyncio.Lock())
    operating.gauges.read_with(Gauge.STREAMS_OPEN, lambda: agents.streams)
    operating.gauges.read_with(Gauge.ROWS_WAITING, lambda: committer.waiting)
    operating.gauges.read_with(Gauge.BYTES_WAITING, lambda: committer.bytes_waiting)
    server = grpc.aio.server(
        interceptors=[
            Doorman(
                book,
                Buckets(settings.calls_per_second, clock.monotonic),
                Buckets(settings.calls_per_second * _STREAMS, clock.monotonic, _STREAMS_SECONDS),
                Audit(client, clock, counters),
                counters,
            )
        ],
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", limits.message_bytes + 1024),
            ("grpc.max_send_message_length", _ANSWER_BYTES),
        ],
    )
    agents.add_to(server)
    query_pb2_grpc.add_QueryServiceServicer_to_server(QueryService(client, settings.query, settings.retention), server)
    admin = AdminService(client, desired.wake, book, backups, cardinality.reached)
    query_pb2_grpc.add_AdminServiceServicer_to_server(admin, server)
    operating.add_to(server)
    await asyncio.to_thread(_take_up, client, book, cardinality)
    port = listen(server, settings, counters, operating.gauges)
    committer.start()
    desired.start()
    book.start()
    await server.start()
    scheduler.start()
    await operating.serving()
    try:
        yield port
    finally:
        await operating.draining()
        stopped = asyncio.create_task(server.stop(settings.drain_seconds))
        # The server refuses new calls from its next turn of the loop on.
        await asyncio.sleep(0)
        agents.drain()
        await stopped
        await desired.close()
        await book.close()
        await committer.close(settings.drain_seconds)
        await asyncio.to_thread(scheduler.close)


def _take_up(client: Client, book: TokenBook, cardinality: Cardinality) -> None:
    """Go on with what the store has of before."""
    book.refresh()
    cardinality.take_up(taken(client, cardinality.today))


def _migrate(client: Client, settings: Settings) -> None:
    for migration in schema.migrate(client, settings.clickhouse_cluster, settings.retention):
        _LOG.info("applied migration %04d_%s", migration.number, migration.name)
    schema.set_fsync(client, settings.clickhouse_cluster, on=settings.fsync)
    for problem in storage.damage(client):
        _LOG.error("%s", problem)
    if client.folder:
        frozen.forget(client.folder)
        merging.give_way()


def _jobs(
    settings: Settings, client: Client, reception: Reception, counters: Counters, dropping: threading.Lock
) -> Scheduler:
    clock = SystemClock()
    raw_days = settings.retention.raw_days
    margin = settings.rollup_margin_seconds
    roll_up = RollUp(client, clock, reception, counters, margin_seconds=margin, raw_days=raw_days)
    scheduler = Scheduler(counters)
    scheduler.every(settings.rollup_seconds, "roll-up", roll_up.run)
    scheduler.every(
        settings.plan_seconds,
        "plan",
        lambda: plan.refresh(client, clock.unix_ns(), settings.plan_range_hours, settings.scoring),
        share=_PLAN_SHARE,
    )

    def expiry() -> None:
        with dropping:
            expire(client, clock.unix_ns(), raw_days, settings.clickhouse_cluster)

    scheduler.every(settings.expiry_seconds, "expiry", expiry)
    return scheduler


def _forget_port(file: Path) -> None:
    """Whoever waits for the file is not to find the port of an earlier run. Raises UsageError."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
    if not file.parent.is_dir():
        raise UsageError(f"cannot write {file}: there is no folder {file.parent}")


def _write_port(file: Path, port: int) -> None:
    """Appears whole, so that a waiting reader never sees half a number."""
    draft = file.with_name(file.name + ".tmp")
    draft.write_text(f"{port}\n", "ascii")
    draft.replace(file)
