"""Processes that Python's multiprocessing starts by itself: their command says nothing of their program."""

import re

_SPAWNED = re.compile(r"from multiprocessing\.(?:spawn|forkserver) import ")
_TRACKER = re.compile(r"from multiprocessing\.(?:resource_tracker|semaphore_tracker) import ")


def spawned_by_multiprocessing(cmdline: tuple[str, ...]) -> bool:
    """Whether a process is a worker that began as a new interpreter, as the workers of uvicorn do."""
    return any(_SPAWNED.match(argument) for argument in cmdline)


def tracks_resources(cmdline: tuple[str, ...]) -> bool:
    """Whether a process only cleans up after others."""
    return any(_TRACKER.match(argument) for argument in cmdline)
