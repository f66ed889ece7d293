"""From a call graph to where each function's time goes.

A call graph has edges, not stacks. As gprof does (Graham, Kessler and McKusick, 1982), the time beneath a function
is taken to be divided in the same way whoever called it.

Following one unit of time from a function, let v be how much of it passes through each function, and W how functions
divide theirs among callees. Then v = root + Wᵀv, cycles included, and each function keeps v × own ÷ (own + callees).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.function import Function
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import splu

from pivotscope_collector.analysis.breakdown import Spent
from pivotscope_collector.analysis.graph import Graph, Node

_DAMPING = 1.0 - 1e-9
"""Lets time leak out of cycles that spend none, for which there would be no solution."""

_NEGLIGIBLE = 1e-6
_SMALL = 0.001
"""Functions with less than this part of the time are not followed: they cannot become candidates."""

Vector = NDArray[np.float64]


def spent_in(graph: Graph, follow: Callable[[Function], bool]) -> dict[Function, Spent]:
    """Own, total and native time of every function without waiting; where it goes, of those that `follow` asks for."""
    if not graph:
        return {}
    passage = _Passage(graph)
    least = _SMALL * max(node.total for node in graph.values())
    return {
        function: _followed(passage, index, node)
        if node.total >= least and follow(function)
        else Spent(
            own=node.own + node.native,
            total=node.total,
            own_overhead=node.overhead,
            calls=float(node.calls),
            callers=set(node.callers),
        )
        for index, (function, node) in enumerate(graph.items())
    }


class _Passage:
    """The graph as a system of equations, factorised once."""

    def __init__(self, graph: Graph) -> None:
        self.functions = tuple(graph)
        position = {function: index for index, function in enumerate(self.functions)}
        whole = np.array([_whole(node) for node in graph.values()])
        safe = np.where(whole > 0.0, whole, 1.0)
        edges = [
            (position[callee], position[function], _DAMPING * seconds / safe[position[function]])
            for function, node in graph.items()
            for callee, seconds in node.callees.items()
        ]
        rows, columns, values = zip(*edges, strict=True) if edges else ((), (), ())
        size = len(self.functions)
        system = identity(size, format="csc") - csc_matrix((values, (rows, columns)), shape=(size, size))
        self._solve = splu(csc_matrix(system)).solve
        nodes = graph.values()
        self.own = np.where(whole > 0.0, np.array([node.own for node in nodes]) / safe, 1.0)
        self.native = np.array([node.native for node in nodes]) / safe
        self.waiting = np.array([node.waiting for node in nodes]) / safe
        self.overhead = np.array([node.overhead for node in nodes]) / safe

    def through(self, index: int) -> Vector:
        """How much of one unit of a function's time passes through each function."""
        start = np.zeros(len(self.functions))
        start[index] = 1.0
        return np.asarray(self._solve(start), dtype=np.float64)


def _followed(passage: _Passage, index: int, node: Node) -> Spent:
    passing = passage.through(index)
    out = passing * passage.own
    waiting = float(passing @ passage.waiting)
    return Spent(
        own=node.own + node.native,
        total=max(0.0, node.total * (1.0 - waiting)),
        native=node.total * float(passing @ passage.native),
        beneath={passage.functions[at]: node.total * float(out[at]) for at in np.flatnonzero(out > _NEGLIGIBLE)},
        overhead=node.total * float(passing @ passage.overhead),
        own_overhead=node.overhead,
        calls=float(node.calls),
        callers=set(node.callers),
    )


def _whole(node: Node) -> float:
    return node.own + node.native + node.waiting + sum(node.callees.values())
