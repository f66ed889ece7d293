"""Fills a store and times questions to the query service on it: python -m tests.bench.query_times service|month FOLDER.

Prints lines of the bench as JSON. Warm: each question is asked once before it is timed five times; the figure is the
median, beside it stand the shortest, the longest, and the bar: what it should stay below on a machine that is quiet.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from pivotscope.v1 import query_pb2 as q
from pivotscope.v1 import query_pb2_grpc
from pivotscope_collector.settings import QueryLimits, Retention
from pivotscope_collector.store import schema
from pivotscope_collector.store.client import Client

from tests.bench.history import History, Part
from tests.bench.serving import serving

DAY, MINUTE = 86_400, 60
SECOND = 10**9
TIMES = 5
SERVICES = 4
DAYS = 30
EVERY = 10
"""Minutes from one that is watched to the next, in the month."""
ROOT = "Class1.method_1"
BARS = {"top functions": 15, "trend of one function": 15, "flame graph": 50, "diff of two versions": 80}
LONG_BARS = {
    ("30 days", "top functions"): 100,
    ("30 days", "trend of one function"): 100,
    ("a day", "flame graph"): 300,
}

Ask = Callable[[str, Any], Any]
Row = tuple[str, str, str]


@contextmanager
def asking(client: Client) -> Iterator[Ask]:
    """Asks the query service over a socket, as commands do."""
    options = [("grpc.max_receive_message_length", 1 << 26)]
    with serving(client, QueryLimits(seconds=120.0)) as address, grpc.insecure_channel(address, options) as channel:
        stub: Any = query_pb2_grpc.QueryServiceStub(channel)
        yield lambda method, request: getattr(stub, method)(request, timeout=120)


def timed(ask: Ask, what: str, method: str, request: Any, bar: int = 0) -> Row:
    """A line about one question, warm: milliseconds, their spread, and the bar in milliseconds where there is one."""
    ask(method, request)
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask(method, request)
        taken.append(1e3 * (time.perf_counter() - began))
    spread = f"{min(taken):.0f} to {max(taken):.0f}"
    return what, f"{statistics.median(taken):.0f} ms", f"{spread}; bar {bar} ms" if bar else spread


def questions(since: int, until: int, **names: str) -> dict[str, tuple[str, Any]]:
    """Name → method and request, about one selection."""
    selection = q.Selection(since_unix_ns=since * SECOND, until_unix_ns=until * SECOND, **names)
    base = q.Selection(since_unix_ns=since * SECOND, until_unix_ns=until * SECOND, **names, version="v0")
    other = q.Selection(since_unix_ns=since * SECOND, until_unix_ns=until * SECOND, **names, version="v1")
    return {
        "top functions": ("ListHotspots", q.ListHotspotsRequest(selection=selection, by_total=True)),
        "trend of one function": ("GetTrend", q.GetTrendRequest(selection=selection, function=ROOT)),
        "flame graph": ("GetFlame", q.GetFlameRequest(selection=selection)),
        "flame graph, uncut": ("GetFlame", q.GetFlameRequest(selection=selection, min_share=-1)),
        "diff of two versions": ("DiffHotspots", q.DiffHotspotsRequest(base=base, selection=other)),
        "diff of two versions, as flame graph": ("GetFlame", q.GetFlameRequest(base=base, selection=other)),
    }


def service(client: Client) -> list[Row]:
    """50,000 rows of one service within two minutes, beside three others: a fleet sends more."""
    history = History(client, 31)
    end = int(time.time()) // MINUTE * MINUTE - 3600
    minutes = range(end - 2 * MINUTE, end, MINUTE)
    for number in range(SERVICES):
        history.add(Part(f"service-{number}", minutes, 500, 200))
    history.roll_up()
    with asking(client) as ask:
        return [
            timed(ask, f"{history.rows // SERVICES:,} rows of a service: {name}", *one, BARS.get(name, 0))
            for name, one in questions(end - 2 * MINUTE, end, service="service-0").items()
        ]


def month(client: Client) -> list[Row]:
    """50 million samples of four services over 30 days; the same hour at 1, 10 and 50 million."""
    history = History(client, 31)
    end = int(time.time()) // DAY * DAY
    lines: list[Row] = []
    done, began = 0, time.monotonic()
    for millions, days in ((1, 0.6), (10, 6.0), (50, 30.0)):
        whole = round(days * DAY / (EVERY * MINUTE))
        minutes = [end - EVERY * MINUTE * (one + 1) for one in range(done, whole)]
        for number in range(SERVICES):
            history.add(Part(f"service-{number}", minutes, 3, 975))
        done = whole
        history.roll_up()
        with asking(client) as ask:
            lines += [
                timed(ask, f"an hour at {millions} million samples: {name}", *one)
                for name, one in questions(end - 3600, end, service="service-0").items()
                if name in {"top functions", "trend of one function", "flame graph"}
            ]
        sys.stderr.write(f"{history.samples:,} samples, {history.rows:,} rows, {time.monotonic() - began:.0f} s\n")
    with asking(client) as ask:
        for what, since in (("30 days", end - DAYS * DAY), ("a day", end - DAY)):
            lines += [
                timed(ask, f"{what} of a service of 50 million samples: {name}", *one, LONG_BARS.get((what, name), 0))
                for name, one in questions(since, end, service="service-0").items()
                if what == "a day" or name in {"top functions", "trend of one function"}
            ]
        everything = questions(end - DAYS * DAY, end)["top functions"]
        lines.append(timed(ask, "30 days of everything: top functions", *everything))
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    lines.append(("most memory of the process that filled and answered", f"{resident} MB", ""))
    return lines


def main() -> None:
    """Fill, ask, print."""
    store = Client(path=sys.argv[2], database="pivotscope")
    schema.migrate(store, retention=Retention(raw_days=40, minute_days=60))
    sys.stdout.write(json.dumps({"service": service, "month": month}[sys.argv[1]](store)))
    store.close()


if __name__ == "__main__":
    main()
