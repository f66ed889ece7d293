"""A merchant's sales report."""

from __future__ import annotations

import json
import zlib

from core import sales


def build_report(merchant, sales_data, commission):
    """The figures of a report, ready to be rendered."""
    return {
        "merchant": merchant,
        "sales": len(sales_data),
        "commission": round(commission, 2),
        "categories": sales.totals_by_category(sales_data[::4]),
        "best_sellers": sales.best_sellers(sales_data[::3], 20),
    }


def render(report):
    """The report as JSON, with a checksum line."""
    body = json.dumps(report, sort_keys=True)
    lines = [f"{name:>10}: {value:12.2f}" for name, value in sorted(report["categories"].items())]
    return json.dumps({"report": body, "table": "\n".join(lines), "checksum": zlib.crc32(body.encode())})
