"""What a window's ending says of the time that the process was held."""

import os
from pathlib import Path

import pytest
from pivotscope.profile.window import Mode
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.samplers.attended import ATTACHED_S, Attended, attaching_ns
from pivotscope_agent.samplers.pyspy import PySpy
from pivotscope_agent.samplers.sampler import Ending, Request

NO_LIMIT = 1 << 62


class Brief(PySpy):
    """A sampler that ends at once, with a little work done."""

    def command(self, request: Request) -> list[str]:  # noqa: ARG002
        return ["/bin/sh", "-c", ":"]


@pytest.mark.parametrize(
    ("mode", "asked", "always", "held"),
    [
        (Mode.GIL, False, False, True),
        (Mode.GIL, True, False, False),
        (Mode.GIL, False, True, False),
        # Native frames cannot be read while the process runs, whatever was asked for.
        (Mode.NATIVE, True, True, True),
    ],
)
async def test_only_looks_that_stop_the_process_hold_it(
    tmp_path: Path, *, mode: Mode, asked: bool, always: bool, held: bool
) -> None:
    request = Request(os.getpid(), mode, 10, 1, tmp_path / "out", nonblocking=asked)
    ending = await Attended(SystemClock()).run(Brief(Path("py-spy"), always), request, NO_LIMIT)
    assert ending.status == 0
    assert ending.cpu_ns > 0
    assert (ending.stopped_ns > 0) == held


@pytest.mark.parametrize("looks_ms", [0.0, 1.0, 40.0])
def test_attaching_is_what_was_used_before_looks_at_their_pace(looks_ms: float) -> None:
    """30 ms to attach, then so many for looks in each of fifteen seconds; half a second of those was over."""
    ending = Ending(0, "", "", 15_000_000_000, round((30.0 + 15.0 * looks_ms) * 1e6))
    by_then = round((30.0 + ATTACHED_S * looks_ms) * 1e6)
    assert attaching_ns(round(ATTACHED_S * 1e9), by_then, ending) == pytest.approx(30e6, rel=1e-6)


@pytest.mark.parametrize("seconds", [0.1, 0.6, 0.9])
def test_a_window_that_is_hardly_longer_than_attaching_does_not_tell(seconds: float) -> None:
    assert attaching_ns(round(ATTACHED_S * 1e9), 20_000_000, Ending(0, "", "", round(seconds * 1e9), 50_000_000)) == 0
