"""The collector's log: lines on standard error, as text or as JSON, each with its time in UTC."""

import json
import logging
import sys
import time
from collections.abc import Callable
from enum import StrEnum

FORMATS = ("text", "json")


class Level(StrEnum):
    """From which level on records are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_TIME = "%Y-%m-%dT%H:%M:%S"

FIELDS: dict[str, Callable[[logging.LogRecord], object]] = {
    "time": lambda record: f"{time.strftime(_TIME, time.gmtime(record.created))}.{int(record.msecs):03d}Z",
    "level": lambda record: record.levelname.lower(),
    "logger": lambda record: record.name,
    "message": logging.LogRecord.getMessage,
    "exception": lambda record: logging.Formatter().formatException(record.exc_info) if record.exc_info else None,
}
"""The fields of a line of JSON, in order; those that a record does not have are left out."""


class JsonFormatter(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The fields that the record has."""
        found = {name: read(record) for name, read in FIELDS.items()}
        return json.dumps({name: value for name, value in found.items() if value is not None}, ensure_ascii=False)


def set_up(level: Level = Level.INFO, form: str = "text") -> None:
    """Send the collector's records of `level` and above to standard error, in one of FORMATS."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", _TIME)
    text.converter = time.gmtime
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    root = logging.getLogger("pivotscope_collector")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
    # A run that is still going when the next is due is no news: jobs coalesce.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
