import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from pivotscope_collector.cli.comparison_table import render
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.arm import Arm, Grid
from pivotscope_collector.impact.compare import compare
from pivotscope_collector.impact.document import Document, document, schema, validate
from pivotscope_collector.impact.grade import Design
from pivotscope_collector.impact.question import Question, Side
from pivotscope_collector.impact.speedup import holds
from pivotscope_collector.reports.table import Output
from pivotscope_collector.scoring.candidate import Quantiles

QUESTION = Question("shop", "prod", Side("old", 0, 10, variant="old"), Side("new", 0, 10, variant="new"))


@pytest.fixture
def made(make_pair: Callable[..., tuple[Arm, Arm]]) -> Document:
    pair = make_pair(1, blocks=12, share=np.repeat([0.1, 0.5], 6), speedup=5.0, latency=0.3)
    comparison = compare(*pair, Design(planned=(0.1, 0.5), boundaries_ns=(pair[0].grid.start_ns + 6 * 60 * 10**9,)))
    speedup = Interval(5.0, 4.0, 6.0)
    return document(replace(comparison, speedup=speedup), QUESTION, holds(Quantiles(2, 4, 8), speedup))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_a_document_round_trips(made: Document) -> None:
    again = json.loads(json.dumps(made, allow_nan=False))
    validate(again)
    assert again == made
    assert made["metrics"][0]["name"] == "latency_p50"
    assert made["prediction"]["outcome"] == "held"
    assert made["design"]["sample_ratio"]["ok"]


def test_a_document_of_nothing() -> None:
    empty = document(compare(Arm("old", Grid(0, 10, 3)), Arm("new", Grid(0, 10, 3))), QUESTION)
    assert all(m["change"] is None for m in empty["metrics"])
    out = io.StringIO()
    render(empty, Output.TABLE, out)
    assert "not comparable" in out.getvalue()
    assert "latency in A and B" in out.getvalue()


def test_a_broken_document_is_refused(made: Document) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate({**made, "service": ""})


def test_a_table_for_people(made: Document) -> None:
    out = io.StringIO()
    render(made, Output.TABLE, out)
    text = out.getvalue()
    assert "shop prod: A = old, B = new" in text
    assert "CPU per request (process) *" in text
    assert "Measured speed-up of the functions: 5.0× (4.0–6.0)." in text
    assert "not comparable  because the split" in text
    assert "The prediction held" in text
    assert "stratified, never pooled" in text


def test_csv_and_json_for_machines(made: Document) -> None:
    out = io.StringIO()
    render(made, Output.CSV, out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    cpu = next(row for row in rows if row["name"] == "cpu_per_request")
    assert float(cpu["change"]) == pytest.approx(0.2, rel=0.1)
    assert cpu["verdict"] == "better"
    out = io.StringIO()
    render(made, Output.JSON, out)
    assert json.loads(out.getvalue()) == made
