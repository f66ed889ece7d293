"""rbspy: samples CRuby processes."""

import re
from dataclasses import dataclass
from pathlib import Path

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome

from pivotscope_agent.samplers.sampler import Ending, Request, Verdict, failure

_DROPPED = re.compile(r"Dropped (\d+)/(\d+) stack traces")
_WRITTEN = "Wrote formatted output"
_DENIED = ("Permission Denied", "Permission denied", "Operation not permitted", "permissions error")
_UNSUPPORTED = ("Couldn't get ruby version", "Couldn't determine Ruby version", "doesn't support Ruby")
_GONE = ("No such process", "No such file or directory", "Check that the process is running")
_SPREAD = (0.0, 0.13, -0.08, 0.21, -0.17, 0.08, -0.13, 0.17)


@dataclass(frozen=True, slots=True)
class RbSpy:
    """How rbspy is called. It stops the process for each look unless `nonblocking`, which may give torn stacks."""

    program: Path
    nonblocking: bool = False

    @property
    def language(self) -> Language:
        """Ruby."""
        return Language.RUBY

    def rate(self, rate_hz: int, window: int) -> int:
        """About `rate_hz`, another one each window: at a fixed period samples alias with periodic work."""
        spread = round(rate_hz * _SPREAD[window % len(_SPREAD)])
        return max(1, rate_hz + spread)

    def command(self, request: Request) -> list[str]:
        """The raw file must be named, else rbspy leaves one in its cache folder."""
        return [
            str(self.program),
            "record",
            *("--pid", str(request.pid)),
            *("--format", "collapsed"),
            *("--rate", str(request.rate_hz)),
            *("--duration", str(request.seconds)),
            *("--file", str(request.output)),
            *("--raw-file", "/dev/null"),
            # The thread that holds the lock, else whoever held it last: it works outside the lock, or waits.
            *(() if request.mode is Mode.ACTIVE else ("--on-cpu",)),
            "--silent",
            *(("--nonblocking",) if self.nonblocking or request.nonblocking else ()),
        ]

    def judge(self, request: Request, ending: Ending) -> Verdict:
        """A process that ended while it was sampled leaves status 1, and the samples up to then.

        rbspy keeps to its schedule, late looks follow at once: a whole window looked rate × seconds times.
        """
        dropped = _DROPPED.search(ending.log)
        usable = _WRITTEN in ending.log and ending.stacks is not None and not ending.killed
        exited = usable and ending.status != 0 and bool(ending.stacks) and any(phrase in ending.log for phrase in _GONE)
        if not usable or (ending.status != 0 and not exited):
            return failure(ending, _DENIED, _UNSUPPORTED, _GONE)
        errors = int(dropped[1]) if dropped and not exited else 0
        return Verdict(
            Outcome.COMPLETE,
            reason="the process ended in this window" if exited else "ended early" if ending.stopped else "",
            stacks=ending.stacks or "",
            ticks=0 if exited or ending.stopped else max(request.rate_hz * request.seconds, errors),
            errors=errors,
        )
