import os
import sys

import pytest
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.launch.orphans import Orphans
from pivotscope_agent.targets import procfs


def ended_child() -> int:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", ""], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def test_a_child_that_nobody_reaps_is_reaped_at_the_second_look() -> None:
    orphan, program = ended_child(), ended_child()
    orphans = Orphans(program)
    orphans.look()
    assert procfs.stat(orphan).ended
    orphans.look()
    with pytest.raises(ProcessGoneError):
        procfs.stat(orphan)
    orphans.look()
    assert os.waitpid(program, 0) == (program, 0)
