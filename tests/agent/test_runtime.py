import asyncio
import logging
from pathlib import Path

import pytest
from pivotscope_agent import workdir
from pivotscope_agent.agent_id import agent_id
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.controls import Controls
from pivotscope_agent.errors import MissingToolError
from pivotscope_agent.pipeline.control import DesiredState, Pause, RequestFacts, Resume, ServiceState, SetRate
from pivotscope_agent.runtime import find_samplers, keep_running, obey
from pivotscope_agent.settings import parse
from pivotscope_agent.sources import Sources


class Impatient(SystemClock):
    """A clock whose pauses are over at once."""

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 - that is the point
        await asyncio.sleep(0)


async def test_a_part_that_fails_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    third = asyncio.Event()
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            third.set()
            await asyncio.Event().wait()
        raise OSError("a defect")

    task = asyncio.create_task(keep_running(work, Impatient()))
    async with asyncio.timeout(5):
        await third.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_the_collectors_wishes_are_obeyed_within_limits() -> None:
    controls, sources = Controls(SystemClock(), 100), Sources(lambda _: None)
    told: list[bool] = []

    def reconsider() -> None:
        told.append(bool(controls.paused("shop")))

    obey(SetRate("shop", 500), controls, sources, reconsider)
    obey(Pause("", 60), controls, sources, reconsider)
    assert controls.rate("shop", 10) == 100
    assert controls.paused("shop")
    obey(Resume(""), controls, sources, reconsider)
    obey(RequestFacts("shop"), controls, sources, reconsider)
    assert not controls.paused("shop")
    obey(DesiredState((ServiceState("shop", paused=True),)), controls, sources, reconsider)
    assert told == [False, True, False, False, True]


def test_one_sampler_is_enough_none_is_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    program = tmp_path / "py-spy"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    nowhere = {"program": "/nowhere/rbspy"}
    found = find_samplers(parse({"python": {"program": str(program)}, "ruby": nowhere}))
    assert [language.value for language in found] == ["python"]
    assert "/nowhere/rbspy is not an executable file" in caplog.text
    with pytest.raises(MissingToolError, match="/nowhere/py-spy"):
        find_samplers(parse({"python": {"program": "/nowhere/py-spy"}, "ruby": nowhere}))


def test_agents_are_told_apart_by_host_machine_and_spool() -> None:
    mine = agent_id("h", Path("/a"), "m")
    assert mine == agent_id("h", Path("/a"), "m")
    assert (
        len({mine, agent_id("g", Path("/a"), "m"), agent_id("h", Path("/b"), "m"), agent_id("h", Path("/a"), "n")}) == 4
    )
    assert mine.startswith("h-")


def test_the_folder_for_outputs_is_private_and_leftovers_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workdir, "_MEMORY", tmp_path)
    left = tmp_path / "pivotscope-agent-4194304-x"
    left.mkdir()
    other = tmp_path / "pivotscope-agent-1-x"
    other.mkdir()
    folder = workdir.create()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not left.exists()
    assert other.exists()
    (folder / "x").write_text("")
    workdir.remove(folder)
    assert not folder.exists()
