"""The agent's log: lines on standard error, as text or as JSON, each with its time in UTC."""

import json
import logging
import sys
import time

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")

FIELDS = ("pid", "service", "outcome", "reason", "collector", "state", "command")
"""What a line of JSON may hold beside time, level, logger, message and exception. Nothing else of a record is shown."""

_TEXT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
_TIME = "%Y-%m-%dT%H:%M:%S"


class JsonFormatter(logging.Formatter):
    """One object a line, keys always in the same order."""

    def __init__(self) -> None:
        super().__init__()
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The record without its arguments; times have milliseconds."""
        line: dict[str, object] = {
            "time": f"{self.formatTime(record, _TIME)}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: getattr(record, name) for name in FIELDS if hasattr(record, name)})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(level: str, format: str = "text") -> None:  # noqa: A002 - the setting's name
    """Send the agent's records of `level` (one of LEVELS) and above to standard error, as one of FORMATS."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter(_TEXT, _TIME)
    text.converter = time.gmtime
    handler.setFormatter(JsonFormatter() if format == "json" else text)
    root = logging.getLogger("pivotscope_agent")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
