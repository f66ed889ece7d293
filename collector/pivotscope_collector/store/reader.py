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
ninety days to whole days (UTC); to hours or days, too, where nothing finer is kept. Sums add up over buckets, pools and
versions, but never over modes; `processes` is the largest of the buckets, `resident_bytes` their mean.
"""

from collections.abc import Mapping, Sequence
from string import Template

from pivotscope_collector.store.client import Client, Columns, statement
from pivotscope_collector.store.selection import DAY, HOUR, MINUTE, NAMES, Selection
from pivotscope_collector.store.sources import Sources, locate
from pivotscope_collector.store.stretch import Stretch, joined

__all__ = ["DAY", "HOUR", "MINUTE", "Selection", "Sources", "locate"]


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

    Bound besides `parameters`: the names that the selection gives (String), since, until (UInt32, seconds).
    """
    sources = locate(client, selection, step_seconds)
    return client.run(render(name, selection, sources), bind(selection, sources, parameters))


def bind(selection: Selection, sources: Sources, parameters: Mapping[str, object] | None = None) -> dict[str, object]:
    """The values of a rendered statement's parameters."""
    return {
        **selection.bound(),
        "dirty": list(sources.dirty),
        **(parameters or {}),
    }


def render(
    name: str,
    selection: Selection,
    sources: Sources,
    *,
    some: bool = False,
    parts: Sequence[Stretch] = (),
    stepped: bool = False,
) -> str:
    """The text of `sql/<name>.sql` with its placeholders filled in; parameters stay unbound.

    Only what the selection has a part in is read: levels, and names in the predicates. With `some`, functions are those
    of the parameter function_ids. ${bucket} is the start of that of the `parts` which a row is in, or of its step with
    `stepped`; ${within} a condition on raw rows of these parts; ${pool_key} a number for pool and mode.
    """
    pool = selection.pools
    chosen = f"{pool} AND function_id IN {{function_ids:Array(UInt64)}}" if some else pool
    pool_rows = _live("pools", POOLS, sources, pool, pool)
    function_rows = _live("functions", FUNCTIONS, sources, pool, chosen)
    return Template(statement(name)).substitute(
        pools=f"(SELECT {POOLS} FROM {pool_rows})",  # noqa: S608 - no outside text
        functions=f"(SELECT {FUNCTIONS} FROM {function_rows})",  # noqa: S608 - no outside text
        pool_rows=pool_rows,
        function_rows=function_rows,
        pool_key=_POOL_KEY,
        bucket=_STEP if stepped else _bucket(parts),
        selected=selection.raw,
        within=f"({_within('minute', [(part.start, part.end) for part in joined(parts)])}) AND {pool}",
    )


def raw(kind: str, minutes: str, pool: str = "1") -> str:
    """Rows of `kind` (pools, functions) from raw tables, for the minutes and the pools that the predicates name."""
    return Template(statement(f"{kind}_raw")).substitute(minutes=minutes, pool=pool)


# Each name hashed alone is hashed once a distinct value, not once a row; the names salt their values.
_POOL_KEY = " + ".join(f"cityHash64('{name}', {name})" for name in (*NAMES, "language", "mode"))
_STEP = "toUInt32(intDiv(toUnixTimestamp(bucket), {step:UInt32}) * {step:UInt32})"


def _bucket(parts: Sequence[Stretch]) -> str:
    starts = [part.start for part in parts]
    return f"roundDown(toUnixTimestamp(bucket), {starts})" if len(starts) > 1 else f"toUInt32({sum(starts)})"


def _within(column: str, stretches: Sequence[tuple[int, int]]) -> str:
    # They stand in the text: sets of buckets would keep the index from being used, or take it longer.
    return " OR ".join(f"{column} >= {start} AND {column} < {end}" for start, end in stretches)


POOLS = (
    "bucket, service, environment, version, variant, language, mode, windows, complete, samples, native_samples, "
    "x, xx, looked_ns, complete_cpu_ns, skipped_cpu_ns, failed_cpu_ns, gap_cpu_ns, sampler_cpu_ns, "
    "complete_delay_ns, attributed_ns, unattributed_ns, processes, resident_bytes, read_bytes, written_bytes"
)
FUNCTIONS = (
    "bucket, service, environment, version, variant, language, mode, function_id, self, total, self_native, "
    "total_native, self_y, self_yy, self_xy, total_y, total_yy, total_xy, windows"
)


def _live(kind: str, columns: str, sources: Sources, pool: str, chosen: str) -> str:
    """What follows FROM: the levels that the range has a part in, and raw. One level alone costs no sub-query."""
    parts = []
    days, hours = (_stretches(starts, size) for starts, size in ((sources.days, DAY), (sources.hours, HOUR)))
    for level, stretches in (("day", days), ("hour", hours), ("minute", sources.minutes)):
        if stretches:
            clean = " AND bucket NOT IN {dirty:Array(UInt32)}" if sources.dirty and level == "minute" else ""
            parts.append(_level(kind, level, f"({_within('bucket', stretches)}){clean} AND {chosen}"))
    if len(parts) == 1 and not sources.dirty:
        return parts[0]
    selects = [f"SELECT {columns} FROM {part}" for part in parts]  # noqa: S608 - no outside text
    if sources.dirty:
        rows = raw(kind, "minute IN {dirty:Array(UInt32)}", pool)
        selects.append(f"SELECT {columns} FROM ({rows}) WHERE {chosen}")  # noqa: S608 - no outside text
    return f"({' UNION ALL '.join(selects)})"


def _stretches(starts: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Buckets of `size` seconds, in order, as stretches from a start to before an end."""
    firsts = [start for place, start in enumerate(starts) if not place or start - starts[place - 1] > size]
    lasts = [start for place, start in enumerate(starts, 1) if place == len(starts) or starts[place] - start > size]
    return [(first, last + size) for first, last in zip(firsts, lasts, strict=True)]


def _level(kind: str, level: str, condition: str) -> str:
    # Conditions on the sorting key alone: they may hold before rows of older revisions are dropped.
    return f"{kind}_{level} FINAL PREWHERE {condition}"
