"""Two versions held against each other, pages of a list, labels, and bounds: commands over gRPC on a real store."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pivotscope_collector.cli import app as cli
from pivotscope_collector.errors import UnreachableError, UsageError
from pivotscope_collector.settings import QueryLimits
from pivotscope_collector.store.client import Client
from typer.testing import CliRunner

from tests.bench.history import History, Part
from tests.bench.serving import serving

pytestmark = pytest.mark.engine

Run = Callable[..., Any]
NAMES = ["--service", "shop", "--release", "v1", "--base-release", "v0"]


@pytest.fixture(scope="module")
def versions(clean_stores: Callable[[], Client]) -> Client:
    """Twelve windows of each of two versions that run the same code, rolled up, and another service."""
    store = clean_stores()
    history = History(store, 14)
    minute = int(time.time()) // 60 * 60 - 600
    history.add(Part("shop", range(minute, minute + 240, 60), 6, 400, versions=2))
    history.add(Part("other", [minute], 2, 100, versions=1))
    history.roll_up()
    return store


@pytest.fixture(scope="module")
def address(versions: Client) -> Iterator[str]:
    with serving(versions, QueryLimits()) as address:
        yield address


def invoke(address: str, *arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "--collector", address], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if "json" in arguments else result.stdout


@pytest.fixture
def run(address: str) -> Run:
    return lambda *arguments: invoke(address, *arguments)


def test_shares_of_two_versions_and_their_differences(run: Run) -> None:
    rows = run("diff", *NAMES, "--self", "--libraries", "--limit", "5000", "--output", "json")
    for side in ("base", "value"):
        assert sum(row[side] or 0.0 for row in rows) == pytest.approx(1.0, abs=1e-4)
    for row in rows:
        assert row["difference"] == pytest.approx((row["value"] or 0.0) - (row["base"] or 0.0), abs=1e-12)
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    sizes = [abs(row["difference"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    # The root is in every stack of both: nothing changed, for certain.
    rows = run("diff", *NAMES, "--limit", "5000", "--output", "json")
    root = next(row for row in rows if row["value"] and row["value"] > 0.999)
    assert (root["base"], root["difference"], root["ratio"]) == pytest.approx((1.0, 0.0, 1.0), abs=1e-3)


def test_what_did_not_change_differs_by_nothing_and_shares_say_of_what(run: Run) -> None:
    text = run("diff", *NAMES, "--limit", "5000")
    assert text.startswith("Functions by difference: part of attributed CPU\n")
    roots = [line for line in text.splitlines() if line.count(" 100 %") == 2]
    assert {line.split("100 %")[-1].split()[0] for line in roots} == {"0"}
    assert "of attributed" in run("hotspots").splitlines()[0]


def test_pages_add_up_to_the_whole(run: Run) -> None:
    text = run("hotspots", "--service", "shop", "--limit", "3")
    assert "more; --limit shows them. They spent" in text
    assert "in packages and the language itself" in text
    rows = run("hotspots", "--service", "shop", "--self", "--libraries", "--limit", "5000", "--output", "json")
    assert len(rows) > 1000
    assert len({(row["function"], row["path"]) for row in rows}) == len(rows)
    (service,) = [row for row in run("labels", "service", "--output", "json") if row["value"] == "shop"]
    lost = service["cpu_seconds"] - sum(row["self_cpu_seconds"] for row in rows)
    assert 0.0 <= lost < 0.01 * service["cpu_seconds"]


def test_labels_list_what_windows_carry(run: Run) -> None:
    rows = run("labels", "--output", "json")
    seen = {(row["label"], row["value"]) for row in rows}
    assert {("service", "shop"), ("service", "other"), ("version", "v0"), ("version", "v1"), ("variant", "")} <= seen
    assert [row["value"] for row in run("labels", "service", "--output", "json")] == ["shop", "other"]
    assert "There are more" in run("labels", "--limit", "1")
    with pytest.raises(UsageError, match="'host' is no label: expected one of service"):
        run("labels", "host")


def test_a_flame_graph_says_what_it_cut_and_loses_nothing(run: Run) -> None:
    def samples(*more: str) -> tuple[int, int]:
        lines = run("flame", "--service", "shop", "--format", "collapsed", *more).splitlines()
        return len(lines), sum(int(line.rpartition(" ")[2]) for line in lines)

    whole, cut = samples("--min-share", "0"), samples("--min-share", "0.05")
    assert whole[1] == cut[1]
    assert whole[0] > 10 * cut[0]


def test_a_diff_of_flame_graphs(run: Run, tmp_path: Path) -> None:
    lines = run("flame", *NAMES, "--format", "collapsed").splitlines()
    base, now = (sum(int(line.split(" ")[column]) for line in lines) for column in (-2, -1))
    one, other = (
        sum(
            int(line.rpartition(" ")[2])
            for line in run("flame", "--service", "shop", "--release", version, "--format", "collapsed").splitlines()
        )
        for version in ("v0", "v1")
    )
    assert (base, now) == (one, other)
    run("flame", *NAMES, "--out", str(tmp_path / "diff.html"))
    assert "less</span>" in (tmp_path / "diff.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--service", "shop"], "the base is the selection itself"),
        (["--service", "shop", "--base-range", "3h..2h"], "the base has no samples"),
        (["--since", "3h", "--until", "2h", "--base-range", "1h..now"], "the selection has no samples"),
        ([*NAMES, "--per", "request"], "CPU a request is not known for the base: shop has no metric"),
        ([*NAMES, "--per", "dollar"], "expected one of cpu, request"),
    ],
)
def test_what_cannot_be_compared_says_why(run: Run, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("diff", *arguments)


def test_a_question_that_reads_too_much_says_how_to_ask_for_less(versions: Client) -> None:
    with serving(versions, QueryLimits(rows=10)) as address, pytest.raises(UnreachableError) as refused:
        invoke(address, "hotspots")
    assert "takes more than 10 rows: narrow the range (--since), name a --service" in str(refused.value)
    with serving(versions, QueryLimits(seconds=1e-6)) as address, pytest.raises(UnreachableError, match="in time"):
        invoke(address, "hotspots")
