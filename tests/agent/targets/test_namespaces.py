"""Processes in namespaces of their own: files as they see them, and pids that come back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pivotscope.profile.facts import CodebaseFacts, FileFacts
from pivotscope.profile.function import Owner
from pivotscope.profile.window import Outcome, Window
from pivotscope_agent.finishing import Finishing
from pivotscope_agent.settings import PythonSettings
from pivotscope_agent.sources import Sources
from pivotscope_agent.targets import procfs

from tests.agent.conftest import Lab, target_of

PRIVATE = ("unshare",) if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user")
PROGRAMS = Path(__file__).parent / "programs"
PYTHON = Path(sys.executable).resolve()

SHOP = """\
import time
class {name}:
    def work(self):
        total = 0
        for number in range(20_000): total += number
if __name__ == "__main__":
    print("ready", flush=True)
    while True:
        {name}().work()
        time.sleep(0.002)
"""

CONTAINER = """\
set -e
mount --make-rprivate /
mount --rbind / "$1/root"
mount -t tmpfs none "$1/root$1/app"
cp -rP "$1/inside/." "$1/root$1/app/"
cd "$1/root"
pivot_root . .
umount -l .
cd "$1/app"
exec "$2" "$1/app/current/shop.py"
"""
"""A root folder and mounts of its own, as a container has them."""


def need(*namespaces: str) -> None:
    """Skip where the kernel forbids them."""
    tried = subprocess.run([*PRIVATE, *namespaces, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0 or shutil.which("pivot_root") is None:
        pytest.skip(f"the kernel forbids {' '.join(namespaces)}: {tried.stderr.strip()}")


def layout(folder: Path, name: str) -> None:
    """A checkout in a folder of its version, and a link to it by an absolute path."""
    version = folder / "v1"
    version.mkdir(parents=True)
    (version / "pyproject.toml").touch()
    (version / "shop.py").write_text(SHOP.format(name=name))


@pytest.mark.python_target
async def test_files_are_those_that_a_process_in_a_container_sees(
    lab: Callable[..., Lab], start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """Outside of it, the same paths lead to other code. A link to an absolute path must not lead out there."""
    need("--mount")
    layout(tmp_path / "inside", "Inside")
    layout(tmp_path / "app", "Outside")
    (tmp_path / "inside" / "current").symlink_to(tmp_path / "app" / "v1")
    (tmp_path / "root").mkdir()
    process = start(*PRIVATE, "--mount", "sh", "-c", CONTAINER, "sh", tmp_path, PYTHON)
    target = target_of(process.pid)
    assert target.runtime.version == ".".join(map(str, sys.version_info[:3]))
    assert target.working_folder == str(tmp_path / "app")
    assert target.view != procfs.view(os.getpid())

    offered: list[FileFacts | CodebaseFacts] = []
    windows: list[Window] = []
    sources = Sources(offered.extend)
    finishing = Finishing(sources, windows.extend)
    laboratory = lab(python=PythonSettings(active_every=0))
    laboratory.begin(process.pid)
    await laboratory.until(lambda: laboratory.windows)
    window, text = laboratory.windows[0], laboratory.texts[0]
    assert window.outcome is Outcome.COMPLETE
    finished = await finishing._finish(target, window, text)
    hot = max(finished.samples, key=lambda sample: sample.count).stack[-1]
    assert (hot.qualified_name, hot.owner, hot.path) == ("Inside.work", Owner.APPLICATION, "current/shop.py")
    functions = [one.qualified_name for facts in offered if isinstance(facts, FileFacts) for one in facts.functions]
    assert functions == ["<module>", "Inside.work"]


def test_a_pid_that_comes_back_is_another_process() -> None:
    """In a namespace of its own a process can choose the next pid: the same one, at once."""
    need("--pid", "--fork", "--mount-proc")
    ran = subprocess.run(
        [*PRIVATE, "--pid", "--fork", "--mount-proc", sys.executable, PROGRAMS / "same_pid.py"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout == "the first has ended, the second is found\n", ran.stderr
