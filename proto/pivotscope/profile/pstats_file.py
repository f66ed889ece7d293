"""Files of cProfile and pstats: one marshalled dictionary.

    (file, line, function) -> (primitive calls, calls, self seconds, total seconds, callers)

Built-in functions have the file `~` and line 0. cProfile measures wall time unless it was given another timer, which
the file does not tell.
"""

import math

from pivotscope.profile.calls import CallEdge, CallFunction, CallProfile, Clock
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame
from pivotscope.profile.language import Language
from pivotscope.profile.marshal_reader import read_marshal

TOOL = "cProfile"


def parse_pstats(data: bytes) -> CallProfile:
    """Parse a file without running or unpickling anything of it. Functions keep the file's order."""
    stats = read_marshal(data, TOOL)
    if not isinstance(stats, dict):
        raise ProfileFormatError(TOOL, f"expected a dictionary of functions, found {type(stats).__name__}")
    functions = tuple(_function(key, entry) for key, entry in stats.items() if not _is_marker(key))
    return CallProfile(TOOL, Language.PYTHON, Clock.WALL, sum(f.self_seconds for f in functions), functions)


def _is_marker(key: object) -> bool:
    """`cProfile.Profile` marks its output in memory; pstats leaves the mark in files that it dumps again."""
    return key in {("profiler",), "profiler"}


def _function(key: object, entry: object) -> CallFunction:
    frame = _frame(key)
    match entry:
        case (int(primitive), int(calls), float() | int() as own, float() | int() as total, dict(callers)):
            edges = tuple(_edge(caller, value) for caller, value in callers.items())
            return CallFunction(frame, calls, primitive, _seconds(own), _seconds(total), edges)
        case _:
            raise ProfileFormatError(TOOL, f"{frame.name}: expected (calls, calls, seconds, seconds, callers)")


def _edge(key: object, entry: object) -> CallEdge:
    caller = _frame(key)
    match entry:
        case (int(calls), int(), float() | int() as own, float() | int() as total):
            return CallEdge(caller, calls, _seconds(own), _seconds(total))
        case int(calls):  # the pure Python profiler counts calls only
            return CallEdge(caller, calls, 0.0, 0.0)
        case _:
            raise ProfileFormatError(TOOL, f"{caller.name}: expected (calls, calls, seconds, seconds) of a caller")


def _frame(key: object) -> Frame:
    match key:
        case (str(path), int(line), str(name)):
            native = path == "~"
            return Frame(name, "" if native else path, max(line, 0), native)
        case _:
            raise ProfileFormatError(TOOL, "a function is not named by (file, line, name)")


def _seconds(value: float) -> float:
    """Never negative: clocks that step back leave small negative times."""
    seconds = float(value)
    if not math.isfinite(seconds):
        raise ProfileFormatError(TOOL, f"{seconds} is no time")
    return max(seconds, 0.0)
