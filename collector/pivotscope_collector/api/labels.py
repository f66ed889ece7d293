"""The names that windows carry: services, environments, versions, variants, languages and modes."""

from collections import defaultdict

from pivotscope.v1 import query_pb2

from pivotscope_collector.api.pages import Page
from pivotscope_collector.errors import UsageError
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client, rows
from pivotscope_collector.store.reader import Selection

NAMES = ("service", "environment", "version", "variant", "language", "mode")
DEFAULT_SIZE = 100


def list_labels(client: Client, selection: Selection, name: str, page: Page) -> query_pb2.ListLabelsResponse:
    """Values of one label, or of all, with the CPU of their windows; the most CPU first."""
    if name and name not in NAMES:
        raise UsageError(f"{name!r} is no label: expected one of {', '.join(NAMES)}")
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    wanted = [(number, one) for number, one in enumerate(NAMES) if name in {"", one}]
    for row in rows(reader.pools(client, selection)):
        for number, one in wanted:
            total = sums[number, row[one]]
            total[0] += row["attributed_ns"] + row["unattributed_ns"]
            total[1] += row["windows"]
            total[2] += row["samples"]
    ordered = sorted(sums.items(), key=lambda item: (item[0][0], -item[1][0], item[0][1]))
    return query_pb2.ListLabelsResponse(
        labels=[
            query_pb2.LabelValue(
                name=NAMES[number], value=value, cpu_seconds=cpu * 1e-9, windows=windows, samples=samples
            )
            for (number, value), (cpu, windows, samples) in page.cut(ordered)
        ],
        next_page_token=page.following(len(ordered)),
    )
