"""The house stays in order: generated code is fresh, pins are pins, no file says where packages come from."""

import itertools
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deploy.setup.generate import generate

_ROOT = Path(__file__).resolve().parents[1]
_LEFT_OUT = {"build", "dist", "demo-out", "target", "__pycache__"}
# In parts, so that this file does not name what it looks for.
_HOSTS = ("pypi|org", f"{'python'}hosted|org", "crates|io", "rubygems|org", "npmjs|org", "golang|org", "buf|build")
_HOST = re.compile("|".join(rf"\b{re.escape(host.replace('|', '.'))}\b" for host in _HOSTS))
_REQUIREMENT = re.compile(r"^([a-z0-9-]+)==(\S+)((?: ;[^\\]+)?) \\$")
_MAX_LINES = 400


@cache
def _files() -> tuple[Path, ...]:
    """Files of the checkout, generated and ignored ones left out as .gitignore does; works without git."""
    found: list[Path] = []
    for folder, names, files in os.walk(_ROOT):
        names[:] = [
            name
            for name in names
            if (not name.startswith(".") or name == ".ci") and name not in _LEFT_OUT and not name.endswith(".egg-info")
        ]
        found += [Path(folder, name) for name in files]
    return tuple(sorted(found))


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def test_generated_code_is_what_the_protos_generate(tmp_path: Path) -> None:
    assert generate(tmp_path)
    fresh = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*_pb2*")}
    source = _ROOT / "proto"
    kept = {path.relative_to(source): path.read_bytes() for path in source.rglob("*_pb2*.py*") if path.suffix != ".pyc"}
    stale = sorted(str(path) for path in fresh.keys() | kept.keys() if fresh.get(path) != kept.get(path))
    assert not stale, f"run `make proto`: {stale}"


def test_no_file_names_a_registry() -> None:
    named = [
        f"{path.relative_to(_ROOT)}:{number}: {match[0]}"
        for path in _files()
        for number, line in enumerate(_text(path).splitlines(), 1)
        if path.suffix not in {".binpb", ".so", ".gz", ".prof"} and (match := _HOST.search(line))
    ]
    assert not named


@pytest.mark.parametrize("name", ["runtime.txt", "agent.txt", "build.txt", "dev.txt"])
def test_every_requirement_is_pinned_with_hashes_and_no_address(name: str) -> None:
    lines = _text(_ROOT / "requirements" / name).splitlines()
    assert [line for line in lines if not line.startswith((" ", "#")) and not _REQUIREMENT.match(line)] == []
    assert [line for line in lines if line.startswith(" ") and "--hash=sha256:" not in line] == []


def _projects() -> dict[str, dict[str, Any]]:
    """The [project] table of each distribution, by folder."""
    return {
        folder: tomllib.loads(_text(_ROOT / folder / "pyproject.toml"))["project"]
        for folder in ("proto", "agent", "collector")
    }


def test_the_pins_cover_what_the_distributions_ask_for() -> None:
    lines = _text(_ROOT / "requirements/runtime.txt").splitlines()
    pinned = {match[1] for line in lines if (match := _REQUIREMENT.match(line))}
    for folder, project in _projects().items():
        asked = itertools.chain(project["dependencies"], *project.get("optional-dependencies", {}).values())
        names = {re.split(r"[\s\[<>=!~;]", item, maxsplit=1)[0].lower() for item in asked}
        assert names - pinned - {"pivotscope-proto"} == set(), f"{folder}: run `make lock`"


def test_the_three_distributions_have_one_version() -> None:
    projects = _projects()
    (version,) = {project["version"] for project in projects.values()}
    for folder in ("agent", "collector"):
        assert f"pivotscope-proto=={version}" in projects[folder]["dependencies"]


def test_no_file_is_a_redesign() -> None:
    lengths = {
        str(path.relative_to(_ROOT)): len(_text(path).splitlines())
        for path in _files()
        if path.suffix in {".py", ".rb", ".sql"} and "_pb2" not in path.name
    }
    assert {name: length for name, length in lengths.items() if length > _MAX_LINES} == {}


def test_commands_of_make_are_documented() -> None:
    makefile, readme = _text(_ROOT / "Makefile"), _text(_ROOT / "CONTRIBUTING.md")
    targets = re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE)
    assert [target for target in targets if f"`make {target}`" not in readme] == []
