"""The one place that imports the ClickHouse driver."""

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import clickhouse_connect
from clickhouse_connect.driver.client import Client as Driver
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from pivotscope_collector.errors import StoreAwayError, StoreError
from pivotscope_collector.store import bounds, folder, native
from pivotscope_collector.store.placement import local

Columns = dict[str, list[Any]]
Blocks = dict[str, native.Array | native.Ragged | native.Coded]
Found = TypeVar("Found")

# Every partition key is a function of the sorting key, so FINAL need not look across partitions. An insert need not
# look for rows with one key, which takes half of its time: few have them, and readers choose among them anyway.
_SETTINGS: dict[str, int | float | str] = {"do_not_merge_across_partitions_select_final": 1, "optimize_on_insert": 0}
# Groups of batches are inserts already: a server is not to gather them once more before it writes. No column has a
# default to compute for values left out: to look for such, and a second thread, take a quarter of an insert.
_INSERTS: dict[str, int | float | str] = {
    "async_insert": 0,
    "input_format_defaults_for_omitted_fields": 0,
    "max_threads": 1,
}
# An insert is there on every shard when it returns; what joins or filters by another table gets all of that table.
_DISTRIBUTED: dict[str, int | float | str] = {"distributed_foreground_insert": 1, "distributed_product_mode": "global"}
# What a replica does not have yet must not be taken for what is not there: those that are too far behind are not read,
# even where all are; and no shard computes its own part of a roll-up, for it would not look how far behind it is.
_REPLICATED: dict[str, int | float | str] = {
    "fallback_to_stale_replicas_for_distributed_queries": 0,
    "parallel_distributed_insert_select": 0,
}
_BESIDE = 4
"""Threads, with a driver each, for statements beside the one of the calling thread."""


class Client:
    """A connection to ClickHouse, embedded (`path`) or over HTTP(S) (`url`); safe to use from several threads.

    Each thread gets a driver of its own, because a driver serialises its queries. Every call blocks, so
    callers on an event loop go through `asyncio.to_thread`. Every failure is a
    `StoreError`, or says which of `bounds` was met.

    Times cross this border as integers, unix nanoseconds; the SQL converts them. A server that says nothing for
    `silence_seconds`, not even how far it is, is away; where the address has send_receive_timeout, for that long.

    On a `cluster`, replicas that are `lag_seconds` behind, at least 1, are not read.
    """

    def __init__(
        self,
        *,
        path: str = "",
        url: str = "",
        user: str = "",
        password: str = "",
        database: str,
        cluster: str = "",
        silence_seconds: float = 60.0,
        lag_seconds: int = 300,
    ) -> None:
        self._path = path
        self._url = url
        self._user = user
        self._password = password
        self._silence_seconds = silence_seconds
        self._local = threading.local()
        self._lock = threading.Lock()
        self._drivers: list[Driver] = []
        self._closed = False
        self._types: dict[str, dict[str, str]] = {}
        self._standing: dict[str, Columns] = {}
        self._writes: Counter[str] = Counter()
        self._beside = ThreadPoolExecutor(_BESIDE, thread_name_prefix="beside")
        self.database = database
        self.local_database = local(database, cluster)
        distributed = _DISTRIBUTED if cluster else {}
        replicated = _REPLICATED | {"max_replica_delay_for_distributed_queries": lag_seconds} if cluster else {}
        self._insert_settings = _INSERTS | distributed
        self._settings = _SETTINGS | distributed | replicated

    @property
    def location(self) -> str:
        """Where the data is: the folder or the address, without credentials."""
        return self._path or self._url.rpartition("@")[2]

    @property
    def folder(self) -> str:
        """The folder of an embedded store; empty for a server."""
        return self._path

    def writes(self, table: str) -> int | None:
        """How often this client has written to a table, at least once if it failed; None where others may, too.

        Where it is what it was before a table was read, the table has not changed since.
        """
        return None if self._url else self._writes[table]

    def create_database(self, cluster: str = "") -> None:
        """Create the database where it does not exist, on every node of `cluster` if one is named."""
        clause = f" ON CLUSTER `{cluster}`" if cluster else ""
        for database in {self.database, self.local_database}:
            self.command(f"CREATE DATABASE IF NOT EXISTS `{database}`{clause}", database="")

    def query(self, name: str, parameters: Mapping[str, object] | None = None, *, of_rows: bool = False) -> Columns:
        """Run `sql/<name>.sql` with bound parameters; columns by name, in the order of the statement.

        `of_rows`: in the database that holds the rows themselves, for what asks about parts and keys.
        """
        if not of_rows or self.local_database == self.database:
            return self.run(statement(name), parameters)
        driver = self._driver()
        driver.database = self.local_database
        try:
            return self.run(statement(name), parameters)
        finally:
            driver.database = self.database

    def standing(self, name: str) -> Columns:
        """`query` as it was last answered through here: for what stays true, and only says less, as time goes on."""
        return self._standing.get(name) or self.renewed(name)

    def renewed(self, name: str) -> Columns:
        """`query` now, and from now on the answer of `standing`."""
        found = self._standing[name] = self.query(name)
        return found

    def beside(self, work: Callable[[], Found]) -> "Future[Found]":
        """Start a work that runs a statement or a few, within the bounds of the caller, on a thread of its own.

        It may not start others: they would wait for a thread while they hold one.
        """
        return self._beside.submit(copy_context().run, work)

    def together(self, *works: Callable[[], Found]) -> list[Found]:
        """Results of works, side by side, the last on the calling thread. An error is raised once all have ended."""
        others = [self.beside(work) for work in works[:-1]]
        try:
            last = works[-1]()
        finally:
            wait(others)
        return [*(one.result() for one in others), last]

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> Columns:
        """Run a statement that returns rows. Without rows every column is there, and empty."""
        text = self._bounded(sql)
        try:
            with self._driving() as driver:
                result = driver.query(text, parameters=dict(parameters or {}), column_oriented=True)
        except ClickHouseError as error:
            raise bounds.translated(str(error), self.location, _kind(error)) from error
        # The engine names no columns where there are no rows.
        columns: Columns = defaultdict(list)
        columns.update(
            (column, list(values)) for column, values in zip(result.column_names, result.result_columns, strict=False)
        )
        return columns

    def command(self, sql: str, parameters: Mapping[str, object] | None = None, database: str | None = None) -> None:
        """Run a statement that returns nothing: DDL, or INSERT … SELECT."""
        try:
            with self._driving() as driver:
                if database is not None:
                    driver.database = database
                try:
                    driver.command(sql, parameters=dict(parameters or {}), settings=self._settings)
                finally:
                    driver.database = self.database
        except ClickHouseError as error:
            raise StoreError(f"{self.location}: {_first_line(error)}") from error

    def arrays(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> dict[str, native.Array | native.Ragged]:
        """Run a statement that returns numbers and arrays of numbers; columns by name, none where there are no rows."""
        found = self.blocks(sql, parameters)
        return {
            name: column if isinstance(column, native.Ragged) else native.numbers(column)
            for name, column in found.items()
        }

    def blocks(self, sql: str, parameters: Mapping[str, object] | None = None) -> Blocks:
        """As `arrays`, for a statement that returns texts, too."""
        text = self._bounded(sql)
        try:
            with self._driving() as driver:
                answer = driver.raw_query(text, parameters=dict(parameters or {}), fmt="Native")
        except ClickHouseError as error:
            raise bounds.translated(str(error), self.location) from error
        try:
            return native.decode(answer)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{self.location}: an answer that is no block of columns: {answer[:80]!r}") from error

    def insert(self, table: str, columns: Mapping[str, native.Column], token: str = "") -> None:
        """Insert columns of equal length; stored when this returns. Times are numbers in the column's own unit.

        `token`: where the table remembers tokens, an insert with one that it knows is passed over in silence.
        """
        settings = self._insert_settings | (
            {"insert_deduplicate": 1, "insert_deduplication_token": token} if token else {}
        )
        try:
            types = self._column_types(table)
            unknown = columns.keys() - types.keys()
            if unknown:
                raise StoreError(f"{self.location}: insert into {table}: it has no {', '.join(sorted(unknown))}")
            block = native.encode(columns, types)
            with self._driving() as driver:
                driver.raw_insert(table, list(columns), block, fmt="Native", settings=settings)
        except ClickHouseError as error:
            raise _kind(error)(f"{self.location}: insert into {table}: {_first_line(error)}") from error
        finally:
            with self._lock:
                self._writes[table] += 1

    def close(self) -> None:
        """Close every driver; no call may be under way."""
        self._beside.shutdown()
        with self._lock:
            self._closed = True
            for driver in self._drivers:
                driver.close()
            self._drivers.clear()

    def _bounded(self, sql: str) -> str:
        """A statement with its settings. Beside it they cost the embedded driver three statements each."""
        settings = self._settings | bounds.settings()
        return f"{sql}\nSETTINGS {', '.join(f'{name} = {value!r}' for name, value in settings.items())}"

    def _column_types(self, table: str) -> Mapping[str, str]:
        """Type of each column of a table, asked once it is there."""
        if not self._types.get(table):
            found = self.query("column_types", {"table": table})
            self._types[table] = dict(zip(found["name"], found["type"], strict=True))
        return self._types[table]

    def _driver(self) -> Driver:
        driver: Driver | None = getattr(self._local, "driver", None)
        if driver is None or self._closed:
            driver = self._connect()
            self._local.driver = driver
        return driver

    @contextmanager
    def _driving(self) -> Iterator[Driver]:
        """The thread's driver. An embedded one is not used again where the block fails.

        Of a statement that ended part-way, at a deadline or a bound, the embedded engine keeps what it had put out, and
        puts it before the next answer.
        """
        driver = self._driver()
        try:
            yield driver
        except BaseException:
            if self._path:
                self._replace(driver)
            raise

    def _replace(self, driver: Driver) -> None:
        # The new one comes first: with the last that is closed the engine ends.
        self._local.driver = None
        with suppress(StoreError):
            self._local.driver = self._connect()
        with self._lock:
            if driver in self._drivers:
                self._drivers.remove(driver)
                driver.close()

    def _connect(self) -> Driver:
        with self._lock:
            if self._closed:
                raise StoreError(f"{self.location}: the store is closed")
            try:
                driver = self._open()
            except ImportError as error:
                raise StoreError(
                    "the embedded store needs chDB: install pivotscope[embedded], or set PIVOTSCOPE_CLICKHOUSE_URL"
                ) from error
            except ClickHouseError as error:
                reason = folder.explain(self._path) if self._path else ""
                raise _kind(error)(f"cannot open {self.location}: {reason or _first_line(error)}") from error
            driver.database = self.database
            self._drivers.append(driver)
            return driver

    def _open(self) -> Driver:
        if self._path:
            if not self._drivers:
                folder.prepare(self._path)
            return clickhouse_connect.get_client(interface="chdb", path=self._path)
        return clickhouse_connect.get_client(
            dsn=self._url,
            username=self._user or None,
            password=self._password,
            send_receive_timeout=math.ceil(self._silence_seconds),
        )


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql` without its comments, which the driver would look through each time."""
    lines = resources.files(__package__).joinpath("sql", f"{name}.sql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


def rows(columns: Columns) -> Iterable[Mapping[str, Any]]:
    """Columns as mappings, a row each."""
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _kind(error: ClickHouseError) -> type[StoreError]:
    """What an error stands for: the driver's word for a server that it does not reach is OperationalError."""
    return StoreAwayError if isinstance(error, OperationalError) else StoreError


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
