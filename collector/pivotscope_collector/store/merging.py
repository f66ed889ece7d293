"""Threads that merge parts give way to all others: nobody waits for a merge, and every batch waits for its insert."""

import logging
import os
from contextlib import suppress
from pathlib import Path

_LOG = logging.getLogger(__name__)
THREADS = "MergeMutate"
"""What the embedded engine calls them, in the kernel's list of this process's threads."""


def give_way() -> None:
    """Let this process's merging threads take what others leave idle, for good; they are there from the first table on.

    The engine has a setting for it that needs CAP_SYS_NICE, for it raises priorities again between merges. A low
    priority (`nice`) is not enough: a merge then takes most of a processor that an insert wakes up for. Where nothing
    is left for them, parts add up until the engine holds inserts back, which leaves something. Where the kernel lists
    no threads nothing is done, and where it refuses (a sandbox does), they stay as they are.
    """
    for thread in merging_threads():
        try:
            os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
        except ProcessLookupError:
            continue
        except OSError as error:
            _LOG.warning("merges cannot give way to inserts, acknowledgements may take longer: %s", error)
            return


def merging_threads() -> list[int]:
    """The kernel's numbers of them."""
    found = []
    for task in Path("/proc/self/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if (task / "comm").read_text("ascii").strip() == THREADS:
                found.append(int(task.name))
    return found
