"""From profile files to breakdowns: read, parse, name, break down."""

from collections.abc import Iterable
from pathlib import Path

from pivotscope.profile.calls import CallProfile, Clock, SampledProfile
from pivotscope.profile.detect import read_profile
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.folding import fold
from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language

from pivotscope_collector.analysis.breakdown import Breakdown
from pivotscope_collector.analysis.flow import spent_in
from pivotscope_collector.analysis.graph import CALLED_SECONDS, CALLING_SECONDS, simplify
from pivotscope_collector.analysis.shares import DESIGN_EFFECT
from pivotscope_collector.analysis.sources import Sources
from pivotscope_collector.analysis.stacks import FunctionStack, spent_by
from pivotscope_collector.errors import UsageError

Profile = SampledProfile | CallProfile

_SAMPLED = (
    "A file does not tell its windows, so intervals are as wide as if "
    f"{DESIGN_EFFECT:g} samples were worth one independent one."
)
_TIMED = (
    "No sampling error; intervals allow for an overhead of up to "
    f"{(CALLING_SECONDS + CALLED_SECONDS) * 1e6:.1g} µs a call, not for what another run would show."
)
_WALL = {
    Language.PYTHON: "it measures wall time unless it was given another timer",
    Language.RUBY: "it measured wall time; profile with --mode=process for CPU",
}


def read(path: Path) -> Profile:
    """Read one profile file. UsageError names the file, what was found in it, and what can be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    try:
        return read_profile(data, str(path))
    except ProfileFormatError as error:
        raise UsageError(str(error)) from error


def break_down(profile: Profile, file: str, sources: Sources) -> Breakdown:
    """Break a profile down by function. UsageError where it holds nothing."""
    broken = _timed(profile, file, sources) if isinstance(profile, CallProfile) else _sampled(profile, file, sources)
    if broken.whole <= 0.0:
        raise UsageError(f"{file}: the profile holds no time ({profile.tool})")
    return broken


def languages(profiles: Iterable[Profile]) -> tuple[Language, ...]:
    """The languages of some profiles, sorted."""
    return tuple(sorted({profile.language for profile in profiles}))


def _sampled(profile: SampledProfile, file: str, sources: Sources) -> Breakdown:
    folded = fold(profile.stacks, settle=False)
    stacks = [
        FunctionStack(
            tuple(sources.function(frame, profile.language) for frame in stack.frames),
            float(stack.count),
            float(stack.native),
        )
        for stack in folded.stacks
    ]
    samples = sum(stack.count for stack in folded.stacks)
    notes = [f"{file}: {samples:,} samples of {profile.tool}. {_SAMPLED}"]
    if folded.waiting:
        notes.append(f"{file}: {folded.waiting:,} samples stood in a blocking call and are left out")
    return Breakdown(
        file=file,
        tool=profile.tool,
        language=profile.language,
        whole=float(samples),
        overhead=0.0,
        spent=spent_by(stacks),
        observations=samples,
        deterministic=False,
        native_known=any(frame.native for stack in profile.stacks for frame in stack.frames),
        seconds=0.0,
        notes=tuple(notes),
    )


def _timed(profile: CallProfile, file: str, sources: Sources) -> Breakdown:
    graph = simplify(profile.functions, lambda frame: sources.function(frame, profile.language))
    calls = sum(function.calls for function in profile.functions)
    linked = any(function.callers for function in profile.functions)
    notes = [f"{file}: {calls:,} calls timed by {profile.tool}. {_TIMED}"]
    if profile.clock is Clock.WALL:
        notes.append(f"{file}: {_WALL[profile.language]}; calls known to wait are left out")
    if not linked:
        notes.append(
            f"{file}: it does not tell who calls whom, so a function's callees are not taken in; print a graph"
        )
    return Breakdown(
        file=file,
        tool=profile.tool,
        language=profile.language,
        whole=sum(node.own + node.native for node in graph.values()),
        overhead=sum(node.overhead for node in graph.values()),
        spent=spent_in(graph, lambda function: function.owner is Owner.APPLICATION),
        observations=calls,
        deterministic=True,
        native_known=True,
        seconds=profile.total_seconds,
        notes=tuple(notes),
    )
