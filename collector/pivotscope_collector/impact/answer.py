"""A question in, a comparison document out."""

from collections.abc import Mapping

from pivotscope.profile.function import Function

from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.impact.arm import Grid, SubtreeCpu
from pivotscope_collector.impact.assemble import assemble, process_cpu, process_memory, series_points
from pivotscope_collector.impact.blocks import SECOND, SeriesPoints, cadence, choose_block, lay_grid, reads
from pivotscope_collector.impact.compare import compare
from pivotscope_collector.impact.comparison import Comparison
from pivotscope_collector.impact.question import Question, Side, Source, check
from pivotscope_collector.impact.subtree import subtree_cpu

EVERY_POINT = 6 * 3600 * SECOND
"""Up to this span every point is read; beyond it four a block, which loses nothing that is cumulative."""


def answer(source: Source, question: Question) -> Comparison:
    """Read both arms and compare them. Raises UsageError, NotFoundError, StoreError."""
    check(question)
    sides = (question.a, question.b)
    span = min(side.until_ns - side.since_ns for side in sides)
    points = [_points(source, question, side, span) for side in sides]
    usual, watched = cadence([*points[0], *points[1]]), reads([*points[0], *points[1]])
    block = choose_block(span, usual if span <= EVERY_POINT else 0)
    grids = [lay_grid(side.since_ns, side.until_ns, block) for side in sides]
    wheres = [question.where(side) for side in sides]
    processes = [source.processes(where) for where in wheres]
    everyone = [_anyone(where) for where in wheres]
    shared = question.concurrent and not any(p["identity"] for p in processes)
    shared = shared and bool(source.processes(everyone[0])["identity"])
    named = [_named(source, everyone[i], name) for i, name in enumerate((question.function_a, question.function_b))]
    there = [bool(points[i] or processes[i]["identity"] or (shared and named[i])) for i in range(2)]
    if not all(there):
        absent = " or ".join(side.label for side, is_there in zip(sides, there, strict=True) if not is_there)
        raise NotFoundError(
            f"service {question.service!r} has neither processes nor metrics of {absent} in that time, "
            "so nothing can be compared; see `pivotscope agents list` for what is sent"
        )
    arms = []
    for i, side in enumerate(sides):
        pool = everyone[i] if shared else wheres[i]
        arms.append(
            assemble(
                side.label,
                grids[i],
                points[i],
                watched=watched,
                cpu=None if shared else process_cpu(source.cpu(wheres[i], block, ""), grids[i]),
                subtree=_subtree(source, pool, grids[i], named[i], named[1] if i == 0 else {}),
                memory=process_memory(processes[i]),
                shared_process=shared,
            )
        )
    return compare(arms[0], arms[1], question.design)


def _points(source: Source, question: Question, side: Side, span: int) -> tuple[SeriesPoints, ...]:
    where = question.where(side)
    series = source.series(where)
    if not series:
        return ()
    step = 0 if span <= EVERY_POINT else choose_block(span) // 4
    margin = 2 * step or 120 * SECOND
    wider = {**where, "since_ns": side.since_ns - margin, "until_ns": side.until_ns + margin}
    return series_points(series, source.points(wider, [key for key, _ in series], step))


def _anyone(where: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in where.items() if name not in {"version", "variant"}}


def _named(source: Source, where: Mapping[str, object], name: str) -> Mapping[int, Function]:
    if not name:
        return {}
    found = source.functions(where, name)
    if not found:
        raise NotFoundError(f"no sampled function of {where['service']!r} is named {name!r}, or ends with it")
    if len({(f.path, f.qualified_name) for f in found.values()}) > 1:
        choices = ", ".join(sorted(f"{f.path}:{f.qualified_name}" for f in found.values()))
        raise UsageError(f"{name!r} names several functions; say which of {choices}")
    return found


def _subtree(
    source: Source,
    where: Mapping[str, object],
    grid: Grid,
    target: Mapping[int, Function],
    other: Mapping[int, Function],
) -> SubtreeCpu | None:
    if not target:
        return None
    language = next(iter(target.values())).language.value
    pool = process_cpu(source.cpu(where, grid.block_ns, language), grid)
    rest = [key for key in other if key not in target]
    columns = source.subtree(where, grid.block_ns, language, list(target), rest)
    return subtree_cpu(tuple(sorted({f.qualified_name for f in target.values()})), columns, pool, grid)
