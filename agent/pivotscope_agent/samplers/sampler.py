"""What all samplers share: the request, the way a child ended, and what that means."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome

from pivotscope_agent.samplers.looks import Looks
from pivotscope_agent.status import Reason


@dataclass(frozen=True, slots=True)
class Request:
    """One window of one process. `output` is a file that the sampler creates.

    `nonblocking` asks for looks that do not stop the process, where the mode allows it.
    """

    pid: int
    mode: Mode
    rate_hz: int
    seconds: int
    output: Path
    nonblocking: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How a sampler's process ended, and what it left.

    `status` is its exit code, or minus the signal that ended it. `stopped` says that we asked it to
    stop, `killed` that it did not listen. `stacks` is what it wrote to its output, None without a file.
    `stopped_ns` is how long it held the process that it looked at, `looks` what random looks saw meanwhile.
    `attach_ns` is the CPU that it took before it looked, 0 where it ended too soon to tell.
    """

    status: int
    log: str
    stacks: str | None
    elapsed_ns: int
    cpu_ns: int
    attach_ns: int = 0
    resident_bytes: int = 0
    stopped: bool = False
    killed: bool = False
    stopped_ns: int = 0
    looks: Looks = field(default_factory=Looks)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a window is worth. `stacks` is text for the sampler's parser, empty unless COMPLETE.

    `ticks` is 0 where the tool does not tell how often it looked. `code` says more than the outcome where it is given.
    """

    outcome: Outcome
    reason: str = ""
    stacks: str = ""
    ticks: int = 0
    late: int = 0
    errors: int = 0
    code: Reason = Reason.NONE


class Sampler(Protocol):
    """A sampler program. Pure: it says how to call the program and judges how it ended; others run it."""

    @property
    def language(self) -> Language:
        """Whose processes it reads."""

    @property
    def program(self) -> Path:
        """The executable."""

    @property
    def nonblocking(self) -> bool:
        """Whether no look is to stop a process, whatever a request says."""

    def rate(self, rate_hz: int, window: int) -> int:
        """The rate to use for the `window`-th window of a process when about `rate_hz` is asked for."""

    def command(self, request: Request) -> list[str]:
        """Arguments, the program first."""

    def judge(self, request: Request, ending: Ending) -> Verdict:
        """What the window is worth. Never raises: rubbish is a verdict too."""


def failure(ending: Ending, denied: tuple[str, ...], unsupported: tuple[str, ...], gone: tuple[str, ...]) -> Verdict:
    """Why a sampler left no usable output, by the phrases of its messages."""
    said = ending.log
    if ending.killed or ending.status < 0:
        how = "did not stop in time and was killed" if ending.killed else f"was ended by signal {-ending.status}"
        return Verdict(Outcome.SAMPLER_KILLED, f"the sampler {how}")
    for outcome, phrases in (
        (Outcome.ATTACH_DENIED, denied),
        (Outcome.UNSUPPORTED_RUNTIME, unsupported),
        (Outcome.TARGET_EXITED, gone),
    ):
        if phrase := next((phrase for phrase in phrases if phrase in said), None):
            return Verdict(outcome, phrase)
    return Verdict(Outcome.SAMPLER_FAILED, summary(said) or f"the sampler exited with status {ending.status}")


def summary(log: str, limit: int = 160) -> str:
    """The line of a log that names the error, else the last one, cut to `limit` characters."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(("Error", "Something went wrong", "- "))]
    return " ".join((named or lines[-1:])[0:4])[:limit]
