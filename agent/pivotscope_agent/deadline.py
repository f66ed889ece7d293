"""The agent ends in bounded time, whatever hangs."""

import logging
import os
import threading

log = logging.getLogger(__name__)

END_S = 28.0
"""From the signal to the end of the process: samplers may take 2 s to write, names 15 s, sending 5 s, a disk that hangs
4 s. Supervisors kill after 30 s; records that were spooled are safe from both."""
EXIT_LATE = 70
"""Status of an agent that did not end by itself."""


def end_within(seconds: float) -> None:
    """End the process after so long unless it has ended by itself; samplers end with it."""
    timer = threading.Timer(seconds, _end, (seconds,))
    timer.daemon = True
    timer.start()


def _end(seconds: float) -> None:
    log.error("the agent did not come to its end in %g s and is ended; what was spooled is safe", seconds)
    os._exit(EXIT_LATE)
