"""Threads that merge parts give way to all others: nobody waits for a merge, and every batch waits for its insert."""

import os
from contextlib import suppress
from pathlib import Path

THREADS = "MergeMutate"
"""What the embedded engine calls them, in the kernel's list of this process's threads."""
NICE = 10
"""Their priority: a tenth of the weight of others where processors are short, all that is idle where not."""


def give_way() -> None:
    """Lower the priority of this process's merging threads, for good; they are there from the first table on.

    The engine has a setting for it that needs CAP_SYS_NICE, for it raises priorities again between merges. Where the
    kernel lists no threads nothing is done.
    """
    for thread in merging_threads():
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


def merging_threads() -> list[int]:
    """The kernel's numbers of them."""
    found = []
    for task in Path("/proc/self/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if (task / "comm").read_text("ascii").strip() == THREADS:
                found.append(int(task.name))
    return found
