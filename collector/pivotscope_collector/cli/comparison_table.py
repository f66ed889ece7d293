"""A comparison document as a table, JSON or CSV."""

from collections.abc import Mapping
from typing import Any, TextIO

from pivotscope_collector.cli.format import moment
from pivotscope_collector.reports.table import Column, Output, Table, write, write_json

Document = Mapping[str, Any]

MISSING = (
    "A metric is mapped by a [[metrics.endpoint.series]] with its role in the agent's configuration; "
    "a counter that was never used has no series yet."
)

COLUMNS = (
    Column("metric", "metric"),
    Column("a_text", "A", right=True),
    Column("b_text", "B", right=True),
    Column("change_text", "change (95 % interval)", right=True),
    Column("verdict", "verdict"),
    Column("note", "note"),
)
SHOWN_ONLY = ("a_text", "b_text", "change_text", "note")


def render(document: Document, output: Output = Output.TABLE, file: TextIO | None = None) -> None:
    """Print a comparison document: the whole of it as JSON, a row a metric otherwise."""
    if output is Output.JSON:
        write_json(document, file)
        return
    rows = [_row(metric) for metric in document["metrics"]]
    if output is Output.CSV:
        rows = [{key: value for key, value in row.items() if key not in SHOWN_ONLY} for row in rows]
    write(Table(COLUMNS, rows, title=_title(document), notes=_notes(document)), output, file)


def _row(metric: Document) -> dict[str, Any]:
    change = metric["change"] or {}
    return {
        "metric": metric["title"]
        + (f" ({metric['source']})" if metric["source"] else "")
        + (" *" if metric["primary"] else ""),
        "name": metric["name"],
        "source": metric["source"],
        "unit": metric["unit"],
        "a": _estimate(metric["a"]),
        "b": _estimate(metric["b"]),
        "scale": change.get("scale"),
        "change": change.get("estimate"),
        "change_low": change.get("low"),
        "change_high": change.get("high"),
        "p_value": metric["p_value"],
        "holm_p_value": metric["holm_p_value"],
        "verdict": metric["verdict"],
        "claim": metric["claim"],
        "reason": metric["reason"],
        "a_text": _value(metric["a"], metric["unit"]),
        "b_text": _value(metric["b"], metric["unit"]),
        "change_text": _change(change, metric["unit"]),
        "note": "; ".join([_because(metric), *metric["notes"]]),
    }


def _because(metric: Document) -> str:
    said = f"because {metric['reason']}" if metric["verdict"] == "not comparable" else metric["reason"]
    return f"{said} (an association, not a claim)" if metric["claim"] == "association" and metric["change"] else said


def _estimate(interval: Document | None) -> float | None:
    return interval["estimate"] if interval else None


def _change(change: Document, unit: str) -> str:
    if not change:
        return "–"
    if change["as_ratio"] and not (change["scale"] == "difference" and unit == "1"):
        ratio = change["as_ratio"]
        return f"{_percent(ratio['estimate'])} ({_percent(ratio['low'])} to {_percent(ratio['high'])})"
    if unit == "1":
        estimate, low, high = (_points(change[key]) for key in ("estimate", "low", "high"))
        return f"{estimate} pp ({low} to {high})"
    estimate, low, high = (_signed(change[key]) for key in ("estimate", "low", "high"))
    return f"{estimate} {unit} ({low} to {high})"


def _percent(ratio: float | None) -> str:
    if ratio is None:
        return "∞"
    change = 100 * (ratio - 1)
    return f"{0.0 if abs(change) < 0.05 else change:+.1f} %"


def _points(value: float | None) -> str:
    return "∞" if value is None else f"{100 * value:+.2f}"


def _signed(value: float | None) -> str:
    return "∞" if value is None else f"{value:+.3g}"


def _value(interval: Document | None, unit: str) -> str:
    value = _estimate(interval)
    if value is None:
        return "–"
    if unit == "1":
        return f"{100 * value:.2f} %"
    if unit in {"s", "seconds"}:
        return _duration(value)
    if unit == "bytes":
        return f"{value / 2**20:,.1f} MiB"
    return f"{value:,.4g} {unit}".rstrip()


def _duration(value: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def _title(document: Document) -> str:
    arms = document["arms"]
    where = f"{document['service']} {document['environment']}".rstrip()
    return f"{where}: A = {arms['a']['label']}, B = {arms['b']['label']}"


def _notes(document: Document) -> tuple[str, ...]:
    design, arms = document["design"], document["arms"]
    kind = "paired" if design["paired"] else "not paired"
    notes = [
        f"Grade {design['grade']}: {design['grade_meaning']}.",
        f"{design['blocks']} blocks of {design['block_seconds']:g} s, {kind}"
        + (
            f"; {design['blocks_left_out']} left out, only one arm had requests in them"
            if design["blocks_left_out"]
            else ""
        )
        + ".",
    ]
    notes += [
        f"{name.upper()}: {moment(arm['from_unix_ns'])} to {moment(arm['to_unix_ns'])}, {_requests(arm['requests'])}."
        for name, arm in arms.items()
    ]
    if design["grade"] == "A" and design["sample_ratio"] is None:
        notes.append("No planned split was given, so the sample ratio was not checked.")
    if design["stages_unix_ns"]:
        found = "given" if design["stages_given"] else "seen in the traffic"
        moments = ", ".join(moment(at) for at in design["stages_unix_ns"])
        notes.append(f"Stages ({found}) change at {moments}; they are stratified, never pooled.")
    if document["speedup"]:
        notes.append(f"Measured speed-up of the functions: {_times(document['speedup'])}.")
    if document["prediction"]:
        notes.append(document["prediction"]["text"])
    if any(metric["primary"] for metric in document["metrics"]):
        notes.append("* the primary metric; the others are corrected for their number (Holm) before they are promoted.")
    notes += [f"{name.upper()}: {problem}." for name, arm in arms.items() for problem in arm["problems"]]
    if document["missing"]:
        roles = "; ".join(f"{m['role']} in {' and '.join(m['arms'])}" for m in document["missing"])
        notes += [f"Missing: {roles}.", MISSING]
    return tuple(notes)


def _times(interval: Document) -> str:
    low, high = (interval[key] for key in ("low", "high"))
    return f"{interval['estimate']:.1f}× ({low:.1f}–{'∞' if high is None else f'{high:.1f}'})"


def _requests(requests: float | None) -> str:
    return "requests unknown" if requests is None else f"{requests:,.0f} requests"
