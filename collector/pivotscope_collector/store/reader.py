"""CPU of pools and functions over a range of time: roll-ups where they are current, raw rows where not.

For every reader of the store:

    selection = Selection(since_ns, until_ns, service="shop")
    pools(client, selection)                          one row a pool and mode over the whole range
    pools(client, selection, step_seconds=300)        … and one a bucket of five minutes
    functions(client, selection, function_ids=[...])  one row a function, pool and mode
    query(client, "hotspots", selection, {...})       sql/hotspots.sql, which may say FROM ${pools}, FROM ${functions}
                                                      (as sub-queries) and, on raw tables, WHERE ${selected}

Columns are those of `pools_minute` and `functions_minute` without `revision`; `bucket` is unix seconds of its start
(of the range's start without a step). Ranges are widened to whole minutes, beyond two days to whole hours, beyond
ninety days to whole days (UTC). Sums add up over buckets, pools and versions, but never over modes; `processes` is the
largest of the buckets, `resident_bytes` their mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template

from pivotscope_collector.store.client import Client, Columns, statement

_SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400

POOL = " AND ".join(
    f"({{{name}:String}} = '' OR {name} = {{{name}:String}})"
    for name in ("service", "environment", "version", "variant")
)
"""Predicate of a selection on the columns of a pool; empty values select everything."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read: [since_ns, until_ns) in unix nanoseconds, and pools by name; empty names select everything."""

    since_ns: int
    until_ns: int
    service: str = ""
    environment: str = ""
    version: str = ""
    variant: str = ""

    @property
    def since(self) -> int:
        """Start in unix seconds, rounded down to the range's resolution."""
        return self.since_ns // _SECOND // self.resolution * self.resolution

    @property
    def until(self) -> int:
        """End in unix seconds, rounded up to whole minutes."""
        return -(-self.until_ns // (MINUTE * _SECOND)) * MINUTE

    @property
    def resolution(self) -> int:
        """Seconds that `since` is a multiple of."""
        span = (self.until_ns - self.since_ns) // _SECOND
        return DAY if span > 90 * DAY else HOUR if span > 2 * DAY else MINUTE


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a range is to be read from, in unix seconds: whole days and hours, dirty minutes from raw, else minutes."""

    days: tuple[int, ...]
    hours: tuple[int, ...]
    dirty: tuple[int, ...]


def pools(client: Client, selection: Selection, *, step_seconds: int = 0) -> Columns:
    """Windows, CPU and the moments of x of every pool and mode; `step_seconds` is 0 or a multiple of 60."""
    return query(client, "pools", selection, {"step": step_seconds}, step_seconds=step_seconds)


def functions(
    client: Client, selection: Selection, *, step_seconds: int = 0, function_ids: Sequence[int] = ()
) -> Columns:
    """Samples and the moments of y of every function, pool and mode; all functions where no ids are given."""
    sources = locate(client, selection, step_seconds)
    bound = bind(selection, sources, {"step": step_seconds, "function_ids": list(function_ids)})
    return client.run(render("functions", selection, sources, some=bool(function_ids)), bound)


def query(
    client: Client,
    name: str,
    selection: Selection,
    parameters: Mapping[str, object] | None = None,
    *,
    step_seconds: int = 0,
) -> Columns:
    """Run `sql/<name>.sql` after its ${pools}, ${functions} and ${selected} were filled in for the selection.

    Bound besides `parameters`: service, environment, version, variant (String), since, until (UInt32, seconds).
    """
    sources = locate(client, selection, step_seconds)
    return client.run(render(name, selection, sources), bind(selection, sources, parameters))


def bind(selection: Selection, sources: Sources, parameters: Mapping[str, object] | None = None) -> dict[str, object]:
    """The values of a rendered statement's parameters."""
    return {
        **_bound(selection),
        "days": list(sources.days),
        "hours": list(sources.hours),
        "dirty": list(sources.dirty),
        **(parameters or {}),
    }


def render(name: str, selection: Selection, sources: Sources, *, some: bool = False) -> str:
    """The text of `sql/<name>.sql` with its placeholders filled in; parameters stay unbound.

    Only what the selection has a part in is read: levels, and names in the predicates. With `some`, functions are those
    of the parameter function_ids.
    """
    pool = predicate(selection)
    chosen = f"{pool} AND function_id IN {{function_ids:Array(UInt64)}}" if some else pool
    return Template(statement(name)).substitute(
        pools=_live("pools", POOLS, sources, pool, pool),
        functions=_live("functions", FUNCTIONS, sources, pool, chosen),
        selected=f"minute >= {{since:UInt32}} AND minute < {{until:UInt32}} AND {pool}",
    )


def predicate(selection: Selection) -> str:
    """The names of a selection that are given, as a condition on the columns of a pool; their values stay unbound."""
    names = ("service", "environment", "version", "variant")
    given = [f"{name} = {{{name}:String}}" for name in names if getattr(selection, name)]
    return " AND ".join(given) or "1"


def raw(kind: str, minutes: str, pool: str = POOL) -> str:
    """Rows of `kind` (pools, functions) from raw tables, for the minutes and the pools that the predicates name."""
    return Template(statement(f"{kind}_raw")).substitute(minutes=minutes, pool=pool)


def locate(client: Client, selection: Selection, step_seconds: int = 0) -> Sources:
    """Find where each part of the range is current."""
    bound = _bound(selection)
    progress = client.query("progress")
    known = dict(zip(progress["level"], zip(progress["received_us"], progress["open_from"], strict=True), strict=True))
    dirty = _dirty(client, bound, *known.get("minute", (0, 0)))
    if selection.until - selection.since < 6 * HOUR or step_seconds % HOUR:
        return Sources((), (), dirty)
    stale = client.query("stale_hours", bound)
    behind = {level: set(dirty_part) for level, dirty_part in (("hour", dirty), ("day", dirty))}
    for level, hour in zip(stale["level"], stale["hour"], strict=True):
        behind[level].add(hour)
    days = _whole(selection, DAY, behind["day"]) if "day" in known and step_seconds % DAY == 0 else ()
    hours = _whole(selection, HOUR, behind["hour"]) if "hour" in known else ()
    inside = set(days)
    return Sources(days, tuple(hour for hour in hours if hour // DAY * DAY not in inside), dirty)


def _dirty(client: Client, bound: Mapping[str, object], covered_us: int, open_from: int) -> tuple[int, ...]:
    """Minutes with windows that no roll-up has seen; the roll-up's progress tells most of them apart without a look."""
    seen = client.query("dirty_minutes", {**bound, "covered_us": covered_us, "open_from": open_from})
    if not seen["minute"]:
        return ()
    rolled = client.query("rolled_until", {"minutes": seen["minute"]})
    until = dict(zip(rolled["minute"], rolled["received_us"], strict=True))
    received = zip(seen["minute"], seen["received_us"], strict=True)
    return tuple(minute for minute, last in received if last > until.get(minute, 0))


def _whole(selection: Selection, size: int, behind: set[int]) -> tuple[int, ...]:
    """Starts of the whole buckets of `size` seconds in the range that hold none of the moments in `behind`."""
    skip = {moment // size * size for moment in behind}
    first = -(-selection.since // size) * size
    return tuple(start for start in range(first, selection.until - size + 1, size) if start not in skip)


def _bound(selection: Selection) -> dict[str, object]:
    return {
        "service": selection.service,
        "environment": selection.environment,
        "version": selection.version,
        "variant": selection.variant,
        "since": selection.since,
        "until": selection.until,
    }


POOLS = (
    "bucket, service, environment, version, variant, language, mode, windows, complete, samples, native_samples, "
    "x, xx, duration_ns, complete_cpu_ns, skipped_cpu_ns, failed_cpu_ns, gap_cpu_ns, sampler_cpu_ns, "
    "complete_delay_ns, attributed_ns, unattributed_ns, processes, resident_bytes, read_bytes, written_bytes"
)
FUNCTIONS = (
    "bucket, service, environment, version, variant, language, mode, function_id, self, total, self_native, "
    "total_native, self_y, self_yy, self_xy, total_y, total_yy, total_xy, windows"
)


def _live(kind: str, columns: str, sources: Sources, pool: str, chosen: str) -> str:
    """A sub-query over the levels that the range has a part in, and raw, in parentheses."""
    parts = []
    for level, starts in (("day", sources.days), ("hour", sources.hours)):
        if starts:
            parts.append(_level(kind, level, columns, f"bucket IN {{{level}s:Array(UInt32)}} AND {chosen}"))
    minutes = ["bucket >= {since:UInt32}", "bucket < {until:UInt32}"]
    if sources.days:
        minutes.append("toStartOfDay(bucket) NOT IN {days:Array(UInt32)}")
    if sources.hours:
        minutes.append("toStartOfHour(bucket) NOT IN {hours:Array(UInt32)}")
    if sources.dirty:
        minutes.append("bucket NOT IN {dirty:Array(UInt32)}")
        parts.append(raw(kind, "minute IN {dirty:Array(UInt32)}", pool))
    parts.append(_level(kind, "minute", columns, " AND ".join([*minutes, chosen])))
    return f"({' UNION ALL '.join(parts)})"


def _level(kind: str, level: str, columns: str, condition: str) -> str:
    # Conditions on the sorting key alone: they may hold before rows of older revisions are dropped.
    return f"SELECT {columns} FROM {kind}_{level} FINAL PREWHERE {condition}"  # noqa: S608 - no outside text
