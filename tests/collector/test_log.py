import json
import logging

import pytest
from pivotscope_collector import log


def test_lines_of_json_have_the_fields_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(log.Level.INFO, "json")
    logger = logging.getLogger("pivotscope_collector.test")
    logger.info("%d streams", 3)
    logger.error("failed", exc_info=ValueError("broken"))
    log.set_up()
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert list(first) == ["time", "level", "logger", "message"]
    assert (first["level"], first["message"]) == ("info", "3 streams")
    assert first["time"].endswith("Z")
    assert list(second) == list(log.FIELDS)
    assert "ValueError: broken" in second["exception"]
