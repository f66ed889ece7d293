"""What settings and collector want of the next window of a process."""

from pivotscope.profile.window import Mode, Process

from pivotscope_agent.controls import Controls
from pivotscope_agent.governing.plan import Ask
from pivotscope_agent.modes import base_of, mode_of
from pivotscope_agent.settings import PythonSettings, RubySettings, SamplingSettings


def ask_for(
    process: Process,
    window: int,
    sampling: SamplingSettings,
    settings: PythonSettings | RubySettings,
    controls: Controls,
    *,
    nonblocking: bool,
) -> Ask | None:
    """The `window`-th window as it is wanted; None where the collector allows none of the modes that there are."""
    service = process.service
    # Replicas start at different places, so that not all of them take the same mode at once.
    mode = controls.mode(service, mode_of(window + process.pid, settings), (Mode.GIL, Mode.ACTIVE))
    if mode is None:
        return None
    return Ask(
        mode=mode,
        base=controls.mode(service, base_of(settings)) or mode,
        rate_hz=controls.rate(service, sampling.rate_hz),
        seconds=sampling.seconds(window),
        nonblocking=nonblocking,
    )
