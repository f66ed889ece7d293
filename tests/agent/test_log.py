import json
import logging
from collections.abc import Iterator

import pytest
from pivotscope_agent import log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger("pivotscope_agent")
    before = (root.handlers[:], root.level, root.propagate)
    yield
    root.handlers[:], root.propagate = before[0], before[2]
    root.setLevel(before[1])


def test_a_line_of_json_has_stable_fields_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("info", "json")
    logger = logging.getLogger("pivotscope_agent.sampling")
    logger.warning("process %d: two\nlines", 7, extra={"pid": 7, "reason": "attach_denied", "token": "very-secret"})
    logger.debug("not shown")
    logger.error("failed", exc_info=ValueError("a defect"))
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert list(first) == ["time", "level", "logger", "message", "pid", "reason"]
    assert first["message"] == "process 7: two\nlines"
    assert first["time"].endswith("Z")
    assert "ValueError: a defect" in second["exception"]


def test_text_is_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("warning")
    logging.getLogger("pivotscope_agent.x").warning("hello", extra={"pid": 7})
    assert capsys.readouterr().err.endswith("Z WARNING pivotscope_agent.x: hello\n")
