"""From a call graph to where each function's time goes.

A call graph has edges, not stacks. As gprof does (Graham, Kessler and McKusick, 1982), the time beneath a function
is taken to be divided in the same way whoever called it.
"""

from collections import defaultdict

from pivotscope.profile.function import Function

from pivotscope_collector.analysis.breakdown import Spent
from pivotscope_collector.analysis.graph import Graph, Node

_ROUNDS = 200
_NEGLIGIBLE = 1e-6
_SMALL = 0.001
"""Functions with less than this part of the time are not followed: they cannot become candidates."""


def spent_in(graph: Graph) -> dict[Function, Spent]:
    """Own, total and native time of every function, without waiting, and where it goes."""
    found: dict[Function, Spent] = {}
    least = _SMALL * max((node.total for node in graph.values()), default=0.0)
    for function, node in graph.items():
        out, native, waiting, overhead = _follow(graph, function) if node.total >= least else ({}, 0.0, 0.0, 0.0)
        total = max(0.0, node.total * (1.0 - waiting))
        found[function] = Spent(
            own=node.own + node.native,
            total=total,
            native=node.total * native,
            beneath={callee: node.total * part for callee, part in out.items() if part > _NEGLIGIBLE},
            overhead=node.total * overhead,
            own_overhead=node.overhead,
            calls=float(node.calls),
            callers=set(node.callers),
        )
    return found


def _follow(graph: Graph, root: Function) -> tuple[dict[Function, float], float, float, float]:
    """Parts of the root's time: spent by each function itself, in machine code, and waiting, which sum to 1; overhead.

    Time flows from callers to callees until nearly all of it has been spent. What is still on its way after many rounds
    (through a cycle that spends next to nothing) is spent where it is.
    """
    out: dict[Function, float] = defaultdict(float)
    native = waiting = overhead = 0.0
    flowing = {root: 1.0}
    for _ in range(_ROUNDS):
        following: dict[Function, float] = defaultdict(float)
        for function, part in flowing.items():
            node = graph[function]
            whole = _whole(node)
            if whole <= 0.0:
                out[function] += part
                continue
            out[function] += part * node.own / whole
            native += part * node.native / whole
            waiting += part * node.waiting / whole
            overhead += part * node.overhead / whole
            for callee, seconds in node.callees.items():
                following[callee] += part * seconds / whole
        flowing = {function: part for function, part in following.items() if part > _NEGLIGIBLE}
        if not flowing:
            break
    for function, part in flowing.items():
        out[function] += part
    return out, native, waiting, overhead


def _whole(node: Node) -> float:
    return node.own + node.native + node.waiting + sum(node.callees.values())
