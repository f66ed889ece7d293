import os
from pathlib import Path

import pytest
from pivotscope_agent.targets.listing import Listing


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc of this process and one more, with 7 as the newest pid."""
    for pid in (7, os.getpid()):
        (tmp_path / str(pid)).mkdir()
    (tmp_path / str(os.getpid()) / "stat").touch()
    (tmp_path / "self").symlink_to(str(os.getpid()))
    say_newest(tmp_path, 7)
    return tmp_path


def say_newest(proc: Path, pid: int) -> None:
    (proc / "loadavg").write_text(f"0.10 0.20 0.30 2/96 {pid}\n")


def test_nothing_is_listed_while_no_process_begins(proc: Path) -> None:
    listing = Listing(proc)
    listing.pids()
    before = listing.pids()
    assert before == {7, os.getpid()}
    (proc / "7").rmdir()
    assert listing.pids() is before


def test_a_new_pid_is_listed_and_once_more_for_it_may_not_be_seen_yet(proc: Path) -> None:
    listing = Listing(proc)
    for _ in range(3):
        listing.pids()
    say_newest(proc, 9)
    assert 9 not in listing.pids()
    (proc / "9").mkdir()
    assert 9 in listing.pids()


@pytest.mark.parametrize("case", ["gvisor", "another namespace", "nothing"])
def test_where_the_newest_pid_is_not_to_be_trusted_each_call_lists(proc: Path, case: str) -> None:
    if case == "gvisor":
        say_newest(proc, 0)
    elif case == "another namespace":
        (proc / "self").unlink()
        (proc / "self").symlink_to("7")
        (proc / "7" / "stat").touch()
    else:
        (proc / "loadavg").unlink()
    listing = Listing(proc)
    for _ in range(3):
        listing.pids()
    (proc / "9").mkdir()
    assert 9 in listing.pids()


def test_the_kernel_here_is_trusted_and_lists_this_process() -> None:
    assert os.getpid() in Listing().pids()
