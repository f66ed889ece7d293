"""Commands, the query service and the engine together."""

import csv
import io
import json
import re
import sys
from pathlib import Path

import pytest
from pivotscope_collector.cli import app as cli
from pivotscope_collector.errors import NotFoundError, UsageError

from tests.collector.api.conftest import Run

pytestmark = pytest.mark.engine


def test_hotspots_split_measured_cpu(run: Run) -> None:
    rows = {row["function"]: row for row in run("hotspots", "--output", "json", "--libraries")}
    assert rows["Sales.hot"]["self_cpu_seconds"] == pytest.approx(12.0)
    assert rows["cold"]["self_cpu_seconds"] == pytest.approx(7.2)
    assert rows["dumps"]["self_cpu_seconds"] == pytest.approx(4.8)
    assert rows["main"]["total_cpu_seconds"] == pytest.approx(24.0)
    assert sum(row["self_cpu_seconds"] for row in rows.values()) == pytest.approx(24.0)


def test_recursion_counts_once(run: Run) -> None:
    (hot,) = [row for row in run("hotspots", "--output", "json") if row["function"] == "Sales.hot"]
    assert hot["total_cpu_seconds"] == pytest.approx(hot["self_cpu_seconds"])


def test_libraries_are_left_out_unless_asked_for(run: Run) -> None:
    assert {row["function"] for row in run("hotspots", "--output", "json")} == {"main", "Sales.hot", "cold"}


def test_a_failed_window_is_unattributed_and_said(run: Run) -> None:
    assert "25 CPU-seconds in 1 process, 4.0 % unattributed" in run("hotspots")


def test_the_limit_says_what_it_hides(run: Run) -> None:
    text = run("hotspots", "--limit", "1")
    assert "2 more; --limit shows them." in text


def test_csv_has_a_header_and_raw_numbers(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("hotspots", "--output", "csv"))))
    assert float(rows[0]["total_cpu_seconds"]) == pytest.approx(24.0)


def test_a_selection_of_nothing_is_empty_but_not_an_error(run: Run) -> None:
    nothing = ("hotspots", "--release", "1.0", "--since", "3h", "--until", "2h")
    assert run(*nothing, "--output", "json") == []
    assert "Nothing was sampled in this range." in run(*nothing)


def test_an_unknown_version_lists_the_known_ones(run: Run) -> None:
    with pytest.raises(NotFoundError, match=r"unknown version '2\.0'; known: 1\.0$"):
        run("hotspots", "--release", "2.0")


def test_an_unknown_service_lists_the_known_ones(run: Run) -> None:
    with pytest.raises(NotFoundError, match="unknown service 'shoop'; known: shop"):
        run("hotspots", "--service", "shoop")


def test_trend_by_the_end_of_a_name(run: Run, started_ns: int) -> None:
    found = run("trend", "hot", "--step", "60", "--output", "json")
    rows = found["points"]
    assert found["verdict"]["text"] == "too little data: 2 steps with windows of 8 needed"
    assert [row["unix_ns"] for row in rows] == [started_ns, started_ns + 60 * 10**9, started_ns + 120 * 10**9]
    assert [row["total_cpu_seconds"] for row in rows] == pytest.approx([6.0, 6.0, 0.0])
    text = run("trend", "hot")
    assert "Sales.hot (shop.py) in shop" in text
    assert re.search("First seen 20", text)


def test_trend_of_a_name_that_nothing_has(run: Run) -> None:
    with pytest.raises(NotFoundError, match="no function is named 'nothing'"):
        run("trend", "nothing")


def test_a_step_below_the_resolution_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="expected a multiple of 60 s"):
        run("trend", "hot", "--step", "7")


def test_flame_graphs_weigh_stacks_by_cpu(run: Run, tmp_path: Path) -> None:
    collapsed = run("flame", "--format", "collapsed").splitlines()
    assert "main (shop.py);cold (shop.py) 72" in collapsed
    out = tmp_path / "shop.speedscope.json"
    run("flame", "--format", "speedscope", "--out", str(out))
    profile = json.loads(out.read_text())["profiles"][0]
    assert sum(profile["weights"]) == pytest.approx(24.0)
    page = tmp_path / "flame.html"
    run("flame", "--out", str(page))
    assert "Sales.hot" in page.read_text()


def test_flame_of_a_mode_that_was_not_sampled(run: Run) -> None:
    with pytest.raises(NotFoundError, match="nothing was sampled"):
        run("flame", "--mode", "native")


def test_agents_before_any_connected(run: Run) -> None:
    assert run("agents", "list", "--output", "json") == []
    assert "No agent has connected yet" in run("agents", "list")


def test_a_plan_before_any_was_computed(run: Run) -> None:
    with pytest.raises(NotFoundError, match="no plan of any codebase yet"):
        run("plan", "show")


def test_check_tells_tables_and_versions(run: Run) -> None:
    found = run("collector", "check", "--output", "json")
    sizes = {row["table"]: row for row in found["tables"]}
    assert sizes["windows"]["rows"] == 13
    assert sizes["windows"]["ttl_days"] == 14 + 3
    assert sizes["windows"]["bytes"] == sizes["windows"]["bytes_a_day"] > 0
    assert sizes["windows"]["bytes_when_full"] == 17 * sizes["windows"]["bytes"]
    assert found["free_bytes"] > 0
    assert found["system_logs"] == []
    assert found["services"] == [{"service": "shop", "functions": 0, "series": 0, "instances": 1, "versions": 1}]
    text = run("collector", "check")
    assert "shop: 0 functions, 0 series, 1 instances and 1 versions in two days" in text
    assert " free: the disk will do at this rate" in text


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["pivotscope", "hotspots", "--collector", "127.0.0.1:1"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3
    assert "no collector answers at 127.0.0.1:1" in capsys.readouterr().err


def test_wrong_use_is_exit_code_two(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["pivotscope", "hotspots", "--since", "yesterday"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "'yesterday' is no time" in capsys.readouterr().err


def test_the_token_file_must_be_there(run: Run) -> None:
    with pytest.raises(UsageError, match="No such file"):
        run("hotspots", "--token-file", "/nonexistent/token")
