"""Data folders that are damaged, each opened by a process of its own."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

OPEN = """
import sys
from pivotscope_collector.errors import StoreError
from pivotscope_collector.store.client import Client

client = Client(path=sys.argv[1], database="kept")
try:
    client.create_database()
    client.command("CREATE TABLE IF NOT EXISTS t (id UInt64, text String) ENGINE = MergeTree ORDER BY id")
    if len(sys.argv) > 2:
        client.command("INSERT INTO t SELECT number, repeat(toString(number), 20) FROM numbers(10000)")
    print(client.run("SELECT count() AS n FROM t")["n"])
    print(client.run("SELECT count() AS n FROM system.detached_parts WHERE reason LIKE 'broken%'")["n"])
except StoreError as error:
    print(error)
"""


def _open(path: Path, *more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(path), *more], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("folder") / "whole"
    assert _open(path, "fill") == "[10000]\n[0]\n"
    return path


def _cut(path: Path, pattern: str, keep: int) -> None:
    file = max(path.rglob(pattern), key=lambda one: one.stat().st_size)
    file.write_bytes(file.read_bytes()[:keep])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: _cut(path / "metadata", "kept*.sql", 0), "sql is cut short. Move the folder away"),
        (lambda path: _cut(path, "data.bin", 100), "[0]\n[1]\n"),
    ],
    ids=["a definition", "a part"],
)
def test_damage_is_named_with_a_way_out(whole: Path, tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    path = tmp_path / "damaged"
    shutil.copytree(whole, path, symlinks=True)
    damage(path)
    assert said in _open(path)


def test_a_folder_in_use_names_who_uses_it(whole: Path) -> None:
    code = OPEN + "\nprint('open', flush=True)\nsys.stdin.read()\n"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(whole)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        while "open" not in other.stdout.readline():
            pass
        assert f"another process (pid {other.pid}) has it open" in _open(whole)
        other.communicate("")
