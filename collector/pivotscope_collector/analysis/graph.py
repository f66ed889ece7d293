"""A call graph of a deterministic profiler, made simple: source functions only, with what they spent where."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
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

    `name` gives the function of a frame. A machine-code function without a known caller stays a function.
    """
    known = {record.frame: record for record in records}
    beneath_native = _callees_of_native(known)
    graph: Graph = defaultdict(Node)
    for record in known.values():
        if not (record.frame.native and record.callers):
            _add_source(graph, record, name)
        for edge in record.callers:
            if not edge.caller.native:
                graph[name(edge.caller)].overhead += edge.calls * CALLING_SECONDS
            if record.frame.native and not edge.caller.native:
                _spend_in_machine_code(graph[name(edge.caller)], record, edge, record.frame in beneath_native)
            elif not record.frame.native and not edge.caller.native:
                _connect(graph, name(edge.caller), name(record.frame), edge.total_seconds)
    for native, callees in beneath_native.items():
        for caller, part in _source_callers(known, native).items():
            for callee, seconds in callees.items():
                _connect(graph, name(caller), name(callee), seconds * part)
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


def _spend_in_machine_code(caller: Node, record: CallFunction, edge: CallEdge, calls_back: bool) -> None:  # noqa: FBT001
    """Book a built-in's time. One that calls back (`map`, `each`) only drives its caller's own code."""
    caller.overhead += edge.calls * CALLED_SECONDS
    if _WAITING.search(record.frame.name):
        caller.waiting += edge.self_seconds
    elif calls_back or record.self_seconds < ELEMENT_SECONDS * record.calls:
        caller.own += edge.self_seconds
    else:
        caller.native += edge.self_seconds


def _connect(graph: Graph, caller: Function, callee: Function, seconds: float) -> None:
    if caller != callee and seconds > 0.0:
        graph[caller].callees[callee] += seconds
        graph[callee].callers.add(caller)


def _callees_of_native(known: dict[Frame, CallFunction]) -> dict[Frame, dict[Frame, float]]:
    """Source functions that machine code called back (`sorted` its key, `each` its block), and for how long."""
    found: dict[Frame, dict[Frame, float]] = defaultdict(dict)
    for record in known.values():
        if record.frame.native:
            continue
        for edge in record.callers:
            if edge.caller.native:
                found[edge.caller][record.frame] = edge.total_seconds
    return found


def _source_callers(known: dict[Frame, CallFunction], native: Frame) -> dict[Frame, float]:
    """On behalf of which source functions a machine-code one called back, as parts of its time in what it called."""
    found: dict[Frame, float] = defaultdict(float)
    seen: set[Frame] = set()

    def climb(frame: Frame, part: float) -> None:
        if frame in seen or frame not in known:
            return
        seen.add(frame)
        edges = known[frame].callers
        inner = {edge.caller: max(0.0, edge.total_seconds - edge.self_seconds) for edge in edges}
        whole = sum(inner.values())
        for caller, seconds in inner.items():
            share = part * (seconds / whole if whole > 0.0 else 1.0 / len(inner))
            if caller.native:
                climb(caller, share)
            else:
                found[caller] += share

    climb(native, 1.0)
    return found
