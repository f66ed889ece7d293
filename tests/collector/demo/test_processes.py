import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pivotscope_collector.demo.processes import Processes, wait_until
from pivotscope_collector.errors import PivotscopeError

FAMILY = "import os, subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE);\
 print(c.pid, flush=True); c.wait()"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    started.stop_all()


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_children_of_children_end_too(processes: Processes, tmp_path: Path) -> None:
    pid = processes.start("family", [sys.executable, "-c", FAMILY], {}, tmp_path)
    log = tmp_path / "family.log"
    assert eventually(lambda: log.read_text().endswith("\n"))
    child = int(log.read_text())
    processes.stop_all()
    assert eventually(lambda: not alive(pid) and not alive(child))
    assert processes.pids() == {}


def test_a_program_that_ends_is_named_with_its_last_words(processes: Processes, tmp_path: Path) -> None:
    processes.start("brief", [sys.executable, "-c", "print('no luck'); raise SystemExit(3)"], {}, tmp_path)
    with pytest.raises(PivotscopeError, match="brief ended with 3: no luck"):
        wait_until(lambda: False, 20.0, "nothing", processes)


def test_waiting_ends(processes: Processes) -> None:
    with pytest.raises(PivotscopeError, match="waited 0 s for a miracle, in vain"):
        wait_until(lambda: False, 0.0, "a miracle", processes)


def test_the_environment_is_added_to_ours(processes: Processes, tmp_path: Path) -> None:
    source = "import os; print(os.environ['SHOP'], 'PATH' in os.environ); input()"
    processes.start("shop", [sys.executable, "-c", source], {"SHOP": "open"}, tmp_path)
    assert eventually(lambda: "open True" in (tmp_path / "shop.log").read_text())
    assert os.environ.get("SHOP") is None
