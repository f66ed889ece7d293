"""A call graph of a deterministic profiler, made simple: source functions only, with what they spent where."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pivotscope.profile.calls import CallEdge, CallFunction
from pivotscope.profile.frame import Frame
from pivotscope.profile.function import Function

ELEMENT_SECONDS = 2e-6
"""A built-in whose calls take less than this on average works on single values for its caller (`len`, `append`,
`Integer#*`) and goes away with a rewrite of the caller; one that takes longer works through data in machine code."""

CALLING_SECONDS, CALLED_SECONDS = 0.6e-6, 0.2e-6
"""The most that a profiler adds to the calling and to the called function, at each call.

Twice what was measured with cProfile on CPython 3.11, where an empty loop of empty calls took 0.3 µs more a call in the
caller and 0.1 µs more in the callee than without it; ruby-prof adds about as much.
"""

MOST_PAIRS = 2000
"""How many callers × callees machine code may have and still be folded away."""

_WAITING = re.compile(
    r"time\.sleep|Kernel#sleep|select\.|IO\.select|'(?:acquire|accept|recv|recv_into|recvfrom|connect|poll|control)' of"
    r"|method (?:posix\.wait|time\.sleep|select)|Thread#(?:join|value)|Queue#pop|Mutex#(?:lock|sleep|synchronize)"
    r"|ConditionVariable#wait|(?:TCP)?Socket#accept"
)


@dataclass(slots=True)
class Node:
    """A source function: seconds of its own, in machine code or waiting on its behalf, and in callees.

    `overhead` is the most that the profiler may have added to `own` and `native`.
    """

    own: float = 0.0
    native: float = 0.0
    waiting: float = 0.0
    total: float = 0.0
    overhead: float = 0.0
    calls: int = 0
    callees: dict[Function, float] = field(default_factory=lambda: defaultdict(float))
    callers: set[Function] = field(default_factory=set)


Graph = dict[Function, Node]


def simplify(records: Iterable[CallFunction], name: Callable[[Frame], Function]) -> Graph:
    """Fold machine code into its callers and wrappers into the function around them.

    `name` gives the function of a frame. What machine code calls back (`sorted` its key, `each` its block) is called by
    whoever called it. Where that would join very many to very many (`__build_class__`), it stays as a function without
    time of its own. So does what has no known caller, with its time.
    """
    known = {record.frame: record for record in records}
    calling_back = Counter(
        edge.caller for record in known.values() if not record.frame.native for edge in record.callers
    )
    behalf = _Behalf(known)
    kept = {
        frame
        for frame, callees in calling_back.items()
        if frame.native and callees * len(behalf.of(frame)) > MOST_PAIRS
    }
    graph: Graph = defaultdict(Node)
    for record in known.values():
        if not (record.frame.native and record.callers):
            _add_source(graph, record, name)
        for edge in record.callers:
            through = {edge.caller: 1.0} if edge.caller in kept else behalf.of(edge.caller)
            for caller, part in through.items():
                node = graph[name(caller)]
                node.overhead += edge.calls * part * CALLING_SECONDS
                if not record.frame.native:
                    _connect(graph, name(caller), name(record.frame), edge.total_seconds * part)
                elif record.frame in kept:
                    _connect(graph, name(caller), name(record.frame), (edge.total_seconds - edge.self_seconds) * part)
            if record.frame.native:
                for caller, part in behalf.of(edge.caller).items():
                    _spend(graph[name(caller)], record, edge, part, calls_back=record.frame in calling_back)
    return dict(graph)


def _add_source(graph: Graph, record: CallFunction, name: Callable[[Frame], Function]) -> None:
    function = name(record.frame)
    node = graph[function]
    node.own += record.self_seconds
    node.overhead += record.calls * CALLED_SECONDS
    inside = sum(
        edge.total_seconds for edge in record.callers if not edge.caller.native and name(edge.caller) == function
    )
    node.total += max(0.0, record.total_seconds - inside)
    if not record.frame.name.startswith("<") or record.frame.name.startswith(("<module", "<main")):
        node.calls += record.calls


def _spend(caller: Node, record: CallFunction, edge: CallEdge, part: float, *, calls_back: bool) -> None:
    """Book a part of a built-in's time. One that calls back (`map`, `each`) only drives its caller's own code."""
    caller.overhead += edge.calls * part * CALLED_SECONDS
    seconds = edge.self_seconds * part
    if _WAITING.search(record.frame.name):
        caller.waiting += seconds
    elif calls_back or record.self_seconds < ELEMENT_SECONDS * record.calls:
        caller.own += seconds
    else:
        caller.native += seconds


def _connect(graph: Graph, caller: Function, callee: Function, seconds: float) -> None:
    if caller != callee and seconds > 0.0:
        graph[caller].callees[callee] += seconds
        graph[callee].callers.add(caller)


class _Behalf:
    """On behalf of which source functions each frame runs."""

    def __init__(self, known: Mapping[Frame, CallFunction]) -> None:
        self._known = known
        self._found: dict[Frame, dict[Frame, float]] = {}

    def of(self, frame: Frame) -> Mapping[Frame, float]:
        """The source functions that a frame runs for, as parts of 1.

        That is itself; where it is machine code, whoever called it, by the time it spent for them in what it called.
        """
        if not frame.native:
            return {frame: 1.0}
        if frame not in self._found:
            found: dict[Frame, float] = defaultdict(float)
            self._climb(frame, 1.0, found, set())
            whole = sum(found.values())
            self._found[frame] = {above: part / whole for above, part in found.items()} if whole > 0.0 else {}
        return self._found[frame]

    def _climb(self, frame: Frame, part: float, found: dict[Frame, float], seen: set[Frame]) -> None:
        if not frame.native:
            found[frame] += part
        elif frame in self._known and frame not in seen:
            seen.add(frame)
            edges = self._known[frame].callers
            inner = {edge.caller: max(0.0, edge.total_seconds - edge.self_seconds) for edge in edges}
            whole = sum(inner.values())
            for above, seconds in inner.items():
                self._climb(above, part * (seconds / whole if whole > 0.0 else 1.0 / len(inner)), found, seen)
