"""A merged flame graph of a selection, in CPU-seconds."""

from collections.abc import Sequence

from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.estimates.pool import Pool, PoolSums
from pivotscope_collector.store import catalogue, reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.sums import pool_sums, rows

MODES = {
    agent_pb2.MODE_ACTIVE: Mode.ACTIVE,
    agent_pb2.MODE_GIL: Mode.GIL,
    agent_pb2.MODE_NATIVE: Mode.NATIVE,
}
STACKS = 20_000
UNKNOWN = Function("", Language.PYTHON, "", "(unknown)", Owner.RUNTIME)


def get_flame(client: Client, selection: Selection, wanted: "agent_pb2.Mode.ValueType") -> query_pb2.GetFlameResponse:
    """Stacks scaled to their pool's attributed CPU, of one mode.

    Unspecified, it is the mode that splits the CPU of each language: who held the lock in Python, who ran in Ruby.
    """
    pools = [row for bucket in pool_sums(reader.pools(client, selection)).values() for row in bucket]
    modes = _modes(pools, MODES.get(wanted))
    cpu: dict[Pool, float] = {}
    sampled: dict[Pool, float] = {}
    for row in pools:
        cpu[row.pool] = cpu.get(row.pool, 0.0) + row.attributed_ns
        if row.mode is modes[row.pool.language]:
            sampled[row.pool] = row.x
    pairs = [f"{language}/{mode}" for language, mode in modes.items()]
    columns = reader.query(client, "flame", selection, {"modes": pairs, "limit": STACKS})
    names = catalogue.functions_by_id(client, sorted({key for stack in columns["functions"] for key in stack}))
    order = {key: index for index, key in enumerate(sorted(names))}
    unknown = len(order)
    stacks = []
    for row_of in rows(columns):
        pool = Pool(
            row_of["service"], row_of["environment"], row_of["version"], row_of["variant"], Language(row_of["language"])
        )
        scale = cpu.get(pool, 0.0) / sampled[pool] if sampled.get(pool) else 0.0
        stacks.append(
            query_pb2.FlameStack(
                frames=[order.get(key, unknown) for key in row_of["functions"]],
                samples=row_of["samples"],
                native_samples=row_of["native"],
                cpu_seconds=row_of["y"] * scale * 1e-9,
            )
        )
    whole = columns["all_samples"][0] if columns["all_samples"] else 0
    return query_pb2.GetFlameResponse(
        frames=[_frame(names[key]) for key in order] + [_frame(UNKNOWN)],
        stacks=stacks,
        mode=", ".join(sorted({mode.value for mode in modes.values()})),
        pruned=1.0 - sum(columns["samples"]) / whole if whole else 0.0,
    )


def _modes(pools: Sequence[PoolSums], wanted: Mode | None) -> dict[Language, Mode]:
    """The mode to show of each language that was sampled."""
    seen: dict[Language, set[Mode]] = {}
    for row in pools:
        seen.setdefault(row.pool.language, set()).update({row.mode} if row.samples else ())
    order = (wanted,) if wanted else (Mode.GIL, Mode.ACTIVE, Mode.NATIVE)
    return {
        language: next((mode for mode in order if mode in modes), order[0]) for language, modes in sorted(seen.items())
    }


def _frame(function: Function) -> query_pb2.FlameFrame:
    path = f"{function.codebase}/{function.path}" if function.owner is not Owner.APPLICATION else function.path
    return query_pb2.FlameFrame(path=path, qualified_name=function.qualified_name, owner=function.owner.value)
