import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from pivotscope_agent.samplers.scheduling import SLICE_NS, run_soon

KERNEL = tuple(int(part) for part in platform.release().split(".")[:2])


@pytest.mark.skipif(KERNEL < (6, 12), reason="Linux before 6.12 ignores the wish")
def test_the_wish_is_inherited_by_the_program_that_is_executed() -> None:
    source = "print(open('/proc/self/sched').read())"
    done = subprocess.run(
        [sys.executable, "-c", source], preexec_fn=run_soon, capture_output=True, text=True, check=True
    )
    if "se.slice" not in done.stdout:
        pytest.skip("this kernel does not show slices")
    slices = [line.split(":")[1].strip() for line in done.stdout.splitlines() if line.startswith("se.slice")]
    assert slices == [str(SLICE_NS)]


def test_niceness_stays() -> None:
    def nicer() -> None:
        os.nice(7)
        run_soon()

    source = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0))"
    done = subprocess.run([sys.executable, "-c", source], preexec_fn=nicer, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(os.getpriority(os.PRIO_PROCESS, 0) + 7), str(os.SCHED_OTHER)]


def test_it_never_raises() -> None:
    done = subprocess.run([sys.executable, "-c", "pass"], preexec_fn=run_soon, check=False)
    assert done.returncode == 0
    assert Path("/proc/self/stat").exists()
