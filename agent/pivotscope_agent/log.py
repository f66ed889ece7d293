"""The agent's log: lines on standard error, as text or as JSON, each with its time in UTC."""

import json
import logging
import sys
import time
from pathlib import Path

from pivotscope_agent.errors import SettingsError

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


def set_up(level: str, format: str = "text", file: Path | None = None) -> None:  # noqa: A002 - the setting's name
    """Send the agent's records of `level` (one of LEVELS) and above to standard error, or to a file, as one of FORMATS.

    Raises SettingsError for a file that cannot be written.
    """
    try:
        handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler(sys.stderr)
    except OSError as problem:
        raise SettingsError(f"the log {file} cannot be written: {problem.strerror}") from None
    text = logging.Formatter(_TEXT, _TIME)
    text.converter = time.gmtime
    handler.setFormatter(JsonFormatter() if format == "json" else text)
    root = logging.getLogger("pivotscope_agent")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
