"""A merged flame graph of a selection, in CPU-seconds."""

from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.estimates.pool import Pool
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
    """Stacks of one mode (unspecified: the one with most samples), scaled to their pool's attributed CPU."""
    pools = [row for bucket in pool_sums(reader.pools(client, selection)).values() for row in bucket]
    samples = {mode: sum(row.samples for row in pools if row.mode is mode) for mode in MODES.values()}
    mode = MODES.get(wanted) or max(samples, key=lambda mode: samples[mode])
    cpu: dict[Pool, float] = {}
    sampled: dict[Pool, float] = {}
    for row in pools:
        cpu[row.pool] = cpu.get(row.pool, 0.0) + row.attributed_ns
        if row.mode is mode:
            sampled[row.pool] = row.x
    columns = reader.query(client, "flame", selection, {"mode": mode.value, "limit": STACKS})
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
        mode=mode.value,
        pruned=1.0 - sum(columns["samples"]) / whole if whole else 0.0,
    )


def _frame(function: Function) -> query_pb2.FlameFrame:
    path = f"{function.codebase}/{function.path}" if function.owner is not Owner.APPLICATION else function.path
    return query_pb2.FlameFrame(path=path, qualified_name=function.qualified_name, owner=function.owner.value)
