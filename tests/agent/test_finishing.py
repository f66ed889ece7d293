import asyncio
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import cast

import pytest
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Process, Usage, Window
from pivotscope.source.names import FileNames
from pivotscope_agent.finishing import WAITING_WINDOWS, Finishing
from pivotscope_agent.naming.resolver import Resolver
from pivotscope_agent.naming.roots import Roots
from pivotscope_agent.targets.runtime_kind import Runtime
from pivotscope_agent.targets.selector import Labels
from pivotscope_agent.targets.target import Target

PROCESS = Process("shop", "", "", "", "i", "h", 7, 1, Language.PYTHON)
TARGET = Target(PROCESS, 1, Runtime(Language.PYTHON, "CPython", "3.11.7"), Labels(codebase="shop"), "/srv")
WINDOW = Window(PROCESS, Mode.GIL, Outcome.COMPLETE, 0, 10, Usage(5), rate_hz=10, ticks=100)


class Names:
    """Knows no file; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._resolver = Resolver(
            Roots("shop", Language.PYTHON, cwd="/srv", root="/srv", exists=lambda _: False), Language.PYTHON
        )

    def resolver(self, _: Target) -> Resolver:
        return self._resolver

    async def look_up(self, _: Target, files: tuple[str, ...]) -> Mapping[str, FileNames | None]:
        self.asked.append(files)
        return {}


class Broken(Names):
    async def look_up(self, _: Target, files: tuple[str, ...]) -> Mapping[str, FileNames | None]:  # noqa: ARG002
        raise RuntimeError("a defect")


async def finish(names: Names, *items: tuple[Window, str]) -> list[Window]:
    done: list[Window] = []

    def take(windows: Iterable[Window]) -> None:
        done.extend(windows)

    finishing = Finishing(names, take)
    task = asyncio.create_task(finishing.run())
    for window, text in items:
        finishing.add(TARGET, window, text)
    await finishing.join()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return done


async def test_names_samples_and_asks_for_each_file_once() -> None:
    names = Names()
    text = "<module> (/srv/web.py:9);handle (/srv/web.py:3) 12\n"
    done = await finish(names, (WINDOW, text), (WINDOW, text))
    assert names.asked == [("/srv/web.py",)]
    assert len(done) == 2
    (sample,) = done[0].samples
    assert [function.qualified_name for function in sample.stack] == ["<module>", "handle"]
    assert (sample.count, sample.line, sample.stack[-1].path) == (12, 3, "web.py")


async def test_windows_without_output_are_handed_on_at_once() -> None:
    done: list[Window] = []
    finishing = Finishing(Names(), done.extend)
    finishing.add(TARGET, WINDOW, "")
    assert done == [WINDOW]


async def test_output_that_cannot_be_read_fails_the_window_but_keeps_its_cpu() -> None:
    (window,) = await finish(Names(), (WINDOW, "rubbish\n"))
    assert (window.outcome, window.samples, window.ticks) == (Outcome.SAMPLER_FAILED, (), 0)
    assert "cannot be read" in window.reason
    assert window.usage == WINDOW.usage


async def test_a_defect_costs_one_windows_samples(caplog: pytest.LogCaptureFixture) -> None:
    done = await finish(Broken(), (WINDOW, "a (/srv/a.py:1) 1\n"), (WINDOW, ""))
    assert {window.outcome for window in done} == {Outcome.COMPLETE, Outcome.SAMPLER_FAILED}
    assert "a defect" in caplog.text


async def test_beyond_the_bound_windows_go_on_without_samples() -> None:
    done: list[Window] = []
    finishing = Finishing(cast("Names", SimpleNamespace()), done.extend)
    for _ in range(WAITING_WINDOWS + 1):
        finishing.add(TARGET, WINDOW, "a (/srv/a.py:1) 1\n")
    assert [window.outcome for window in done] == [Outcome.SAMPLER_FAILED]
    assert "too many windows wait" in done[0].reason
