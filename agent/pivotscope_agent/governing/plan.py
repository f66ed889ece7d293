"""What is asked of the governor for one window, and what it grants."""

from dataclasses import dataclass

from pivotscope.profile.window import Mode

from pivotscope_agent.status import Reason


@dataclass(frozen=True, slots=True)
class Budgets:
    """What observation may cost. CPU in cores, of the agent and all its children together.

    `target_cpu` is what one target adds to that at most, `host_cpu` bounds the sum. `stopped` is the part of the time
    for which a target may be held still; 1 and more: any.
    """

    target_cpu: float = 0.01
    host_cpu: float = 0.02
    stopped: float = 0.005


@dataclass(frozen=True, slots=True)
class Ask:
    """The next window of a process as settings and collector want it.

    `base` is the mode that most windows take, `mode` the one that is due. `nonblocking` says that looks do not stop
    the process anyway.
    """

    mode: Mode
    base: Mode
    rate_hz: int
    seconds: int
    nonblocking: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The next window as it may be. Rate 0: leave the process out for so many seconds.

    `code` and `text` say why it is not what was asked for; `limit_ns` is CPU beyond which the sampler is to end early.
    """

    mode: Mode
    rate_hz: int
    seconds: int
    nonblocking: bool = False
    code: Reason = Reason.NONE
    text: str = ""
    limit_ns: int = 1 << 62

    @property
    def looks(self) -> int:
        """Looks that the window takes."""
        return self.rate_hz * self.seconds

    @property
    def reason(self) -> str:
        """Code and text, as a window carries them."""
        return f"{self.code}: {self.text}" if self.code else self.text
