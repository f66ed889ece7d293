"""Everything that can be set, read once: environment over file over default."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from pivotscope.transport.address import is_loopback

from pivotscope_collector.errors import UsageError
from pivotscope_collector.scoring.settings import ScoringSettings

PREFIX = "PIVOTSCOPE_"
DEFAULT_HTTP = "127.0.0.1:4641"
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that each kind of row is kept: the one source of every TTL in the schema.

    `system_log_days` is for the engine's logs of itself that have no TTL yet; 0 leaves them alone.
    """

    raw_days: int = 14
    minute_days: int = 60
    hour_days: int = 400
    day_days: int = 1825
    dictionary_days: int = 1825
    system_log_days: int = 14

    def __post_init__(self) -> None:
        order = (self.raw_days, self.minute_days, self.hour_days, self.day_days)
        if self.system_log_days < 0:
            raise UsageError(
                f"retention.system_log_days={self.system_log_days}: expected days, or 0 to leave them alone"
            )
        if min(order) < 2 or list(order) != sorted(order) or self.dictionary_days < self.day_days:
            raise UsageError(
                "retention must be 2 <= raw_days <= minute_days <= hour_days <= day_days <= dictionary_days, got "
                + ", ".join(f"{item.name}={getattr(self, item.name)}" for item in fields(self)[:-1])
            )


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one question may take, and how many: `at_once` are answered, `waiting` more may wait for their turn.

    `rows` are those that one statement reads, `memory_mb` what it holds; `remembered_mb` is what questions keep of what
    they read for those that follow.
    """

    seconds: float = 30.0
    rows: int = 200_000_000
    memory_mb: int = 1024
    remembered_mb: int = 64
    at_once: int = 4
    waiting: int = 60

    def __post_init__(self) -> None:
        least = min(self.seconds, self.rows, self.memory_mb, self.at_once)
        if not least > 0 or self.seconds == float("inf") or min(self.waiting, self.remembered_mb) < 0:
            raise UsageError(
                "query must have seconds, rows, memory_mb and at_once above 0, and none below, got "
                + ", ".join(f"{item.name}={getattr(self, item.name)}" for item in fields(self))
            )


@dataclass(frozen=True, slots=True)
class NameBounds:
    """How many different names there may be in a day, at each collector; those beyond stand as `(other)`.

    Services and codebases are counted by token, functions by codebase, the rest by service. Series beyond are
    refused, and so are those with a name beyond.
    """

    services: int = 2_000
    codebases: int = 2_000
    environments: int = 200
    versions: int = 1_000
    variants: int = 200
    instances: int = 20_000
    functions: int = 200_000
    stacks: int = 1_000_000
    series: int = 50_000

    def __post_init__(self) -> None:
        for item in fields(self):
            if getattr(self, item.name) < 1:
                raise UsageError(f"names.{item.name}={getattr(self, item.name)}: expected names a day, above 0")


@dataclass(frozen=True, slots=True)
class Settings:
    """The collector's settings. Each is PIVOTSCOPE_<NAME> in the environment, or <name> in a TOML file.

    Times are seconds. An empty `clickhouse_url` means the embedded engine in `data_dir`. Its backups are made in
    `backup_dir`; empty: beside `data_dir`.
    """

    listen: str = "127.0.0.1:4640"
    token_file: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    allow_plaintext: bool = False
    calls_per_second: float = 20.0
    http_listen: str = DEFAULT_HTTP
    log_format: str = "text"
    data_dir: str = "pivotscope-data"
    backup_dir: str = ""
    clickhouse_url: str = ""
    clickhouse_user: str = ""
    clickhouse_password: str = field(default="", repr=False)
    clickhouse_database: str = "pivotscope"
    clickhouse_cluster: str = ""
    fsync: bool = False
    commit_seconds: float = 0.08
    commit_rows: int = 16_000
    commit_mb: int = 16
    rollup_seconds: float = 10.0
    rollup_margin_seconds: float = 30.0
    plan_seconds: float = 30.0
    plan_range_hours: float = 24.0
    expiry_seconds: float = 3600.0
    drain_seconds: float = 10.0
    retention: Retention = field(default_factory=Retention)
    scoring: ScoringSettings = field(default_factory=ScoringSettings)
    query: QueryLimits = field(default_factory=QueryLimits)
    names: NameBounds = field(default_factory=NameBounds)

    def __post_init__(self) -> None:
        for name in (
            "commit_seconds",
            "rollup_seconds",
            "rollup_margin_seconds",
            "plan_seconds",
            "expiry_seconds",
            "calls_per_second",
        ):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise UsageError(f"{name}={value}: expected a number above 0")
        for name, unit in (("commit_rows", "rows"), ("commit_mb", "megabytes")):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)}: expected {unit} above 0")
        for name in ("clickhouse_database", "clickhouse_cluster"):
            value = getattr(self, name)
            if not value.replace("_", "a").isalnum() and value:
                raise UsageError(f"{name}={value!r}: expected letters, digits and underscores")
        if not self.clickhouse_database:
            raise UsageError("clickhouse_database is empty: expected the name of a database")
        split_listen(self.listen)
        if self.log_format not in LOG_FORMATS:
            raise UsageError(f"log_format={self.log_format!r}: expected one of {', '.join(LOG_FORMATS)}")
        if self.http_listen:
            split_listen(self.http_address, "http_listen")

    @property
    def embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return not self.clickhouse_url

    @property
    def silence_seconds(self) -> float:
        """How long a ClickHouse server may say nothing: twice what a question, or an insert as it should be, may take.

        Half a minute at least, for a server tells how far it is every ten seconds at most.
        """
        return max(30.0, 2.0 * max(self.query.seconds, self.rollup_margin_seconds))

    @property
    def backup_folder(self) -> Path:
        """Where backups of the embedded store are made."""
        return Path(self.backup_dir or f"{self.data_dir.rstrip('/')}-backups")

    @property
    def http_address(self) -> str:
        """Where /metrics is; a port alone means this machine."""
        return f"127.0.0.1:{self.http_listen}" if self.http_listen.isdecimal() else self.http_listen

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.listen)


TABLES: Mapping[str, type[Any]] = {
    "retention": Retention,
    "scoring": ScoringSettings,
    "query": QueryLimits,
    "names": NameBounds,
}
"""Settings that are tables of their own in the file."""


def split_listen(listen: str, name: str = "listen") -> tuple[str, int]:
    """Host and port of "host:port"; an IPv6 host stands in brackets. Raises UsageError."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"{name}={listen!r}: expected host:port with a port of 0 to 65535")
    return host, int(port)


def load(environment: Mapping[str, str], path: Path | None = None, **overrides: object) -> Settings:
    """Settings from a TOML file, the environment above it, and `overrides` (None: not given) above that.

    A table's keys are PIVOTSCOPE_<TABLE>_<KEY> in the environment.
    """
    values: dict[str, object] = dict(_read(path)) if path else {}
    tables = {name: _table(name, kind, values, environment) for name, kind in TABLES.items()}
    for item in fields(Settings):
        key = PREFIX + item.name.upper()
        if key in environment and item.name not in TABLES:
            values[item.name] = environment[key]
    values |= {key: value for key, value in overrides.items() if value is not None}
    return Settings(**_typed(Settings, values, ""), **tables)


def _table(name: str, kind: type[Any], values: dict[str, object], environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - one of TABLES
    """One table of the file, taken out of `values`, with the environment above it."""
    table = values.pop(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{name}={table!r}: expected a table")
    for item in fields(kind):
        key = f"{PREFIX}{name.upper()}_{item.name.upper()}"
        if key in environment:
            table[item.name] = environment[key]
    return kind(**_typed(kind, table, f"{name}."))


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from error


def _typed(kind: type[object], values: Mapping[str, object], prefix: str) -> dict[str, Any]:
    hints = get_type_hints(kind)
    unknown = [name for name in values if name not in hints]
    if unknown:
        known = ", ".join(prefix + name for name in hints)
        raise UsageError(f"unknown setting {prefix}{unknown[0]}; known are {known}")
    return {name: _convert(prefix + name, hints[name], value) for name, value in values.items()}


def _convert(name: str, kind: type[object], value: object) -> object:
    if kind is bool:
        return _boolean(name, value)
    if kind is str and isinstance(value, str | Path):
        return str(value)
    if kind in {int, float} and not isinstance(value, bool) and isinstance(value, str | int | float):
        try:
            return int(value) if kind is int else float(value)
        except ValueError:
            pass
    expected = {int: "a whole number", float: "a number", str: "text"}.get(kind, str(kind))
    raise UsageError(f"{name}={value!r}: expected {expected}")


def _boolean(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise UsageError(f"{name}={value!r}: expected true or false")
