"""A flame graph as one HTML file that needs nothing else."""

import html
import json
from importlib import resources

from pivotscope_collector.reports.flame import Flame, tree


def page(flame: Flame) -> str:
    """The page: the merged tree as data, drawn by the script inside it; zoom by click, search by text."""
    data = {
        "mode": flame.mode,
        "pruned": flame.pruned,
        "base": flame.base_cpu_seconds,
        "frames": [[frame.qualified_name, frame.path, frame.owner] for frame in flame.frames],
        "root": _flat(flame),
    }
    template = resources.files(__package__).joinpath("flame.html").read_text("utf-8")
    return template.replace("@TITLE@", html.escape(flame.title)).replace("@DATA@", _embedded(data))


def _flat(flame: Flame) -> list[list[float]]:
    """The tree in depth-first order: [depth, frame, CPU-seconds, samples, CPU-seconds of the base] a node."""
    rows: list[list[float]] = []
    pending = [(0, tree(flame))]
    while pending:
        depth, node = pending.pop()
        rows.append([depth, node["f"], round(node["v"], 6), node["s"], round(node["b"], 6)])
        pending.extend((depth + 1, child) for child in reversed(node["c"]))
    return rows


def _embedded(data: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
