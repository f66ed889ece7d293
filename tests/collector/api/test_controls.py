"""Commands that ask something of agents, over gRPC, on a real store."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pivotscope_collector.cli import app as cli
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.store.client import Client
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.engine

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def agent(filled: Client) -> Iterator[None]:
    """The agent of the store's windows, connected now; nothing is asked of it, before and after."""
    now_ms = time.time_ns() // 10**6
    row = {
        "agent": "agent-1",
        "epoch": 1,
        "host": "h",
        "agent_version": "0",
        "abilities": [],
        "targets": 1,
        "clock_offset_ns": 0,
        "first_seen_at": now_ms,
        "seen_at": now_ms,
        "dropped": {},
    }
    filled.insert("agents", {name: [value] for name, value in row.items()})
    yield
    filled.command("TRUNCATE TABLE controls")


@pytest.fixture
def run(address: str) -> Run:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli.app, ["agents", *arguments, "--collector", address], catch_exceptions=False)

    return run


def rows(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("controls", "--output", "json").stdout)
    return found


def test_a_pause_says_what_will_happen_and_stands(run: Run) -> None:
    said = run("pause", "--service", "shop", "--for", "30m", "--note", "release").stdout
    assert "shop on every agent is not sampled until 20" in said
    assert "its CPU is measured on" in said
    assert "Told to 1 connected agent within 4 s" in said
    (row,) = rows(run)
    assert (row["kind"], row["service"], row["agent"], row["note"]) == ("pause", "shop", "", "release")
    assert 1700 * 10**9 < row["paused_until_unix_ns"] - time.time_ns() < 1801 * 10**9
    assert "@" in row["by"]
    assert run("resume", "--service", "shop").stdout.startswith("shop on every agent is sampled again.")
    assert rows(run) == []


def test_a_wider_pause_outlives_a_narrow_resume(run: Run) -> None:
    run("pause", "--all", "--for", "until-resumed")
    run("pause", "--service", "shop", "--agent", "h")
    answer = run("resume", "--service", "shop")
    assert answer.exit_code == 1
    assert "shop on every agent stays paused." in answer.stdout
    assert "Still paused, for it was asked of more than this: paused until resumed for every service" in answer.stdout
    assert [row["agent"] for row in rows(run)] == [""]
    assert run("resume", "--all").exit_code == 0
    assert rows(run) == []


def test_rates_and_limits(run: Run) -> None:
    assert "shop on every agent is sampled at 25 Hz" in run("set-rate", "25", "--service", "shop").stdout
    said = run("set-rate", "50", "--agent", "h", "--service", "shop").stdout
    assert "Also stands: 25 Hz for shop on every agent" in said
    run("limit", "--service", "shop", "--targets", "2")
    run("limit", "--service", "shop", "--mode", "gil", "--mode", "active")
    assert [row["asked"] for row in rows(run)] == ["modes active, gil", "25 Hz", "50 Hz", "at most 2 at once"]
    run("set-rate", "default", "--service", "shop")
    run("limit", "--service", "shop", "--targets", "default")
    run("limit", "--service", "shop", "--any-mode")
    assert rows(run) == []


def test_facts_and_json(run: Run) -> None:
    answer = json.loads(run("facts", "shop", "--output", "json").stdout)
    assert (answer["change"], answer["connected_agents"]) == ("facts", ["agent-1"])
    (standing,) = answer["standing"]
    assert standing["asked"].startswith("facts of shop until 20")
    assert standing["ends_unix_ns"] - standing["asked_unix_ns"] == 3600 * 10**9
    assert " until 20" in run("controls").stdout


def test_facts_of_an_unknown_codebase_are_not_asked_for(run: Run) -> None:
    with pytest.raises(NotFoundError, match=r"unknown codebase 'nope'; known: shop$"):
        run("facts", "nope")
    assert rows(run) == []
    assert run("facts").exit_code == 0


def test_nobody_concerned_is_said(run: Run) -> None:
    assert run("controls").stdout.endswith("Nothing is asked of agents: they do as their settings say.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pause"], "--all"),
        (["pause", "--all", "--for", "soon"], "'soon' is no duration"),
        (["pause", "--all", "--for", "9999d"], "expected at most"),
        (["set-rate", "fast", "--all"], "'fast' is not a rate"),
        (["set-rate", "5000", "--all"], "expected at most 1000"),
        (["limit", "--all"], "give one of --targets"),
        (["pause", "--all", "--note", "x" * 300], "more than 200 characters"),
    ],
)
def test_wrong_use(run: Run, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(*arguments)


def test_unknown_names_list_the_known(run: Run) -> None:
    with pytest.raises(NotFoundError, match="unknown service 'shoop'; known: shop"):
        run("pause", "--service", "shoop")
    with pytest.raises(NotFoundError, match="unknown agent 'x'; known: agent-1"):
        run("pause", "--agent", "x")
