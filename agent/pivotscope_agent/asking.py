"""What settings and collector want of the next window of a process."""

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Process

from pivotscope_agent.controls import Controls
from pivotscope_agent.governing.plan import Ask
from pivotscope_agent.modes import base_of, mode_of
from pivotscope_agent.settings import PythonSettings, RubySettings, SamplingSettings

MOST_STOPPED = 8
"""Python processes with more threads are looked at without being stopped.

A sampler stops threads one after the other. With many that takes longer than work under the lock often does, and who
held it when the look began has let go of it by the end: of 24 threads that work for half a millisecond at a time, looks
that stop them miss a third or more of the lock's holders (`python -m tests.truth --only deep`), others next to none.
"""


def are_too_many(threads: int, language: Language) -> bool:
    """Whether stopping a process for a look would change what is seen."""
    return language is Language.PYTHON and threads > MOST_STOPPED


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
