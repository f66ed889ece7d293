"""The collector's log: lines on standard error, each with its time in UTC."""

import logging
import sys
import time


def set_up(level: str = "info") -> None:
    """Send the collector's records of `level` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger("pivotscope_collector")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
    # A run that is still going when the next is due is no news: jobs coalesce.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
