"""What a window's ending says of the time that the process was held."""

import os
from pathlib import Path

import pytest
from pivotscope.profile.window import Mode
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.samplers.attended import Attended
from pivotscope_agent.samplers.pyspy import PySpy
from pivotscope_agent.samplers.sampler import Request

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
