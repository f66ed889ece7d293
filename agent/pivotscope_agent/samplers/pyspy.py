"""py-spy: samples CPython processes."""

import re
from dataclasses import dataclass
from pathlib import Path

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome

from pivotscope_agent.samplers.sampler import Ending, Request, Verdict, failure

_SUMMARY = re.compile(r"Samples: (\d+) Errors: (\d+)")
_BEHIND = re.compile(r"behind in sampling")
_EARLY = ("Stopped sampling because process exited", "Stopped sampling because Control-C pressed")
_DENIED = ("Permission Denied", "Permission denied", "Operation not permitted")
_UNSUPPORTED = ("Unsupported version of Python", "Failed to find python version from target process")
_GONE = ("No such process", "No such file or directory", "process exited")
_MODES = {Mode.ACTIVE: (), Mode.GIL: ("--gil",), Mode.NATIVE: ("--native",)}


@dataclass(frozen=True, slots=True)
class PySpy:
    """How py-spy is called. It stops the process for each look unless `nonblocking`, which may give torn stacks."""

    program: Path
    nonblocking: bool = False

    @property
    def language(self) -> Language:
        """Python."""
        return Language.PYTHON

    def rate(self, rate_hz: int, window: int) -> int:  # noqa: ARG002 - intervals are random already
        """Unchanged: py-spy draws its intervals from an exponential distribution."""
        return rate_hz

    def command(self, request: Request) -> list[str]:
        """Lines are wanted: they tell functions apart that share a name."""
        running = (self.nonblocking or request.nonblocking) and request.mode is not Mode.NATIVE
        return [
            str(self.program),
            "record",
            *("--pid", str(request.pid)),
            *("--format", "raw"),
            *("--rate", str(request.rate_hz)),
            *("--duration", str(request.seconds)),
            *("--output", str(request.output)),
            "--full-filenames",
            *_MODES[request.mode],
            *(("--nonblocking",) if running else ()),
        ]

    def judge(self, request: Request, ending: Ending) -> Verdict:
        """A window that ran to its end looked rate × seconds times: `--duration` counts looks, not seconds."""
        found = _SUMMARY.search(ending.log)
        if ending.status != 0 or ending.killed or found is None or ending.stacks is None:
            return failure(ending, _DENIED, _UNSUPPORTED, _GONE)
        early = next((phrase for phrase in _EARLY if phrase in ending.log), "")
        return Verdict(
            Outcome.COMPLETE,
            reason="the process ended in this window" if early == _EARLY[0] else "ended early" if early else "",
            stacks=ending.stacks,
            ticks=0 if early else request.rate_hz * request.seconds,
            late=len(_BEHIND.findall(ending.log)),
            errors=int(found[2]),
        )
