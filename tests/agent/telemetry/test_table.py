"""The table of metrics is whole, well formed, and what the documents say."""

import re
from itertools import chain
from pathlib import Path

import pytest
from pivotscope_agent.telemetry.table import PREFIX, TABLE, Count, Gauge, Kind, Metric

from tests.agent.telemetry.documented import rows

_DOCUMENT = Path(__file__).resolve().parents[3] / "deploy" / "agent-metrics.md"


def test_every_name_has_a_line() -> None:
    assert set(TABLE) == set(Count) | set(Gauge)
    names = [str(name) for name in chain(Count, Gauge)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "metric"), list(TABLE.items()))
def test_a_line_is_well_formed(name: str, metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert not name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert metric.meaning.endswith(".")
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in metric.labels)


def test_counters_of_the_agent_count() -> None:
    assert {TABLE[name].kind for name in Count} == {Kind.COUNTER}


def test_the_document_is_the_table() -> None:
    text = _DOCUMENT.read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith(f"| `{PREFIX}")] == rows()


def test_every_counter_is_counted_somewhere() -> None:
    package = Path(__file__).resolve().parents[3] / "agent" / "pivotscope_agent"
    code = "".join(file.read_text("utf-8") for file in package.rglob("*.py") if file.name != "table.py")
    assert [name for name in Count if f"Count.{name.name}" not in code] == []
