"""Backups of the embedded store: whole or not at all, and judged before anything is restored from them."""

import errno
import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store import folder, frozen, manifest
from pivotscope_collector.store.backup import Progress, back_up
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.manifest import File, Manifest
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.restore import restore
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine


@pytest.fixture
def store(module_store: Client) -> Client:
    """So that the clock and rows of this room are for the embedded store."""
    return module_store


@pytest.fixture
def filled(store: Client, window_rows: Callable[..., Rows]) -> Client:
    """The embedded store of this module with three windows, in parts of their own at first."""
    if store.run("SELECT count() AS n FROM windows")["n"] == [0]:
        writer = Writer(store, Reception(store, SystemClock()), Counters(), 30.0)
        for number, stacks in enumerate([{(1, 2): 3, (1,): 1}, {(1, 3): 5}, {(1, 3): 5}]):
            writer.write(window_rows(stacks, window_id=number))
    return store


def _made(store: Client, target: Path, tell: Callable[[Progress], None] = lambda _: None) -> Manifest:
    return back_up(store, target, 7, tell, nullcontext())


def test_what_is_made_can_be_read_and_verified(filled: Client, tmp_path: Path) -> None:
    told: list[Progress] = []
    made = _made(filled, tmp_path / "b", told.append)
    held = manifest.read(tmp_path / "b")
    assert held == made
    assert held.rows["windows"] == 3
    assert held.rows["functions"] == 3
    assert (told[-1].bytes, told[-1].total_bytes) == (held.size, held.size)
    sizes: list[int] = []
    manifest.verify(held, tmp_path / "b", sizes.append)
    assert sum(sizes) == held.size
    assert not list(Path(filled.folder, "shadow").glob("pivotscope_*"))


def test_windows_are_held_after_what_claims_them_and_before_what_they_name() -> None:
    order = sorted(
        ["functions", "stacks", "windows", "points", "series", "pools_hour", "functions_minute", "rolled", "progress"],
        key=frozen.rank,
    )
    assert order[:2] == ["progress", "rolled"]
    assert set(order[2:4]) == {"pools_hour", "functions_minute"}
    assert set(order[4:6]) == {"windows", "points"}
    assert order[6] == "stacks"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), StoreError("given up")])
def test_a_backup_that_fails_leaves_nothing(filled: Client, tmp_path: Path, error: Exception) -> None:
    def fail(progress: Progress) -> None:
        if progress.bytes > progress.total_bytes / 2:
            raise error

    with pytest.raises(StoreError, match=r"No space left|given up"):
        _made(filled, tmp_path / "b", fail)
    assert list(tmp_path.iterdir()) == []
    assert not list(Path(filled.folder, "shadow").glob("pivotscope_*"))


def test_what_a_killed_backup_left_is_taken_away(filled: Client, tmp_path: Path) -> None:
    left = Path(filled.folder, "shadow", "pivotscope_left", "store")
    left.mkdir(parents=True)
    _made(filled, tmp_path / "b")
    assert not left.exists()


def test_no_room_is_said_before_anything_is_copied(
    filled: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(StoreError, match=r"0 MB free, the backup needs"):
        _made(filled, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["b", "b.partial"])
def test_nothing_is_overwritten(filled: Client, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=f"{name} exists: remove"):
        _made(filled, tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_draft_of_another_is_left_alone(filled: Client, tmp_path: Path) -> None:
    """Two collectors may begin one of the same name at once."""
    theirs = tmp_path / "b.partial" / "windows"

    @contextmanager
    def overtaken() -> Iterator[None]:
        theirs.mkdir(parents=True)
        yield

    with pytest.raises(StoreError, match=r"b\.partial: File exists"):
        back_up(filled, tmp_path / "b", 7, lambda _: None, overtaken())
    assert theirs.exists()


def test_days_are_not_dropped_while_tables_are_frozen(filled: Client, tmp_path: Path) -> None:
    dropping = threading.Lock()
    with dropping:
        thread = threading.Thread(target=back_up, args=(filled, tmp_path / "b", 7, lambda _: None, dropping))
        thread.start()
        assert not (tmp_path / "b").exists()
    thread.join(60)
    assert manifest.read(tmp_path / "b").rows["windows"] == 3
    assert not dropping.locked()


def test_a_server_makes_its_own(tmp_path: Path) -> None:
    client = Client(url="http://127.0.0.1:1", database="kept")
    with pytest.raises(UsageError, match="BACKUP DATABASE kept TO"):
        _made(client, tmp_path / "b")
    with pytest.raises(UsageError, match="RESTORE DATABASE kept FROM"):
        restore(tmp_path / "b", client, Retention(), lambda _: None)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _part(path: Path) -> Path:
    return next(path.glob("windows/*/data.bin"))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: _cut(_part(path)), r"data.bin has \d+ bytes, expected"),
        (lambda path: _flip(_part(path)), r"data.bin is damaged: its SHA-256 differs"),
        (lambda path: _part(path).unlink(), r"data.bin is missing"),
        (lambda path: _flip(path / "manifest.json"), r"manifest.json is damaged"),
        (lambda path: (path / "manifest.json").unlink(), r"this is no backup: it has no manifest.json"),
        (lambda path: path.rename(path.with_name("b.partial")), r"no such folder"),
    ],
)
def test_what_is_damaged_is_named_and_nothing_is_touched(
    filled: Client, tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    _made(filled, tmp_path / "b")
    damage(tmp_path / "b")
    with pytest.raises((StoreError, UsageError), match=said):
        restore(tmp_path / "b", Client(path=str(tmp_path / "data"), database="kept"), Retention(), lambda _: None)
    assert not (tmp_path / "data").exists()


def test_one_that_was_cut_short_is_recognised(tmp_path: Path) -> None:
    half = tmp_path / "b.partial"
    half.mkdir()
    with pytest.raises(UsageError, match="this backup was cut short"):
        manifest.read(half)


def test_a_newer_schema_needs_a_newer_collector(filled: Client, tmp_path: Path) -> None:
    made = _made(filled, tmp_path / "b")
    manifest.write(
        Manifest(8, "9.9", made.engine, made.database, {**made.schema, 999: "x"}, made.rows, made.files), tmp_path / "b"
    )
    with pytest.raises(UsageError, match=r"migration 0999, this version knows up to .*upgrade the collector"):
        restore(tmp_path / "b", Client(path=str(tmp_path / "data"), database="kept"), Retention(), lambda _: None)
    document = json.loads((tmp_path / "b" / "manifest.json").read_bytes()) | {"version": 2}
    text = json.dumps(document).encode()
    (tmp_path / "b" / "manifest.json").write_bytes(text)
    (tmp_path / "b" / "manifest.sha256").write_text(hashlib.sha256(text).hexdigest())
    with pytest.raises(UsageError, match="expected pivotscope-backup 1: upgrade"):
        manifest.read(tmp_path / "b")


def test_only_an_empty_folder_is_filled(filled: Client, tmp_path: Path) -> None:
    _made(filled, tmp_path / "b")
    client = Client(path=filled.folder, database="kept")
    with pytest.raises(UsageError, match=r"not empty: a collector \(pid \d+\) has it open"):
        restore(tmp_path / "b", client, Retention(), lambda _: None)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        restore(tmp_path / "b", Client(path=str(tmp_path / "file"), database="k"), Retention(), lambda _: None)


def test_half_a_restore_is_not_opened(tmp_path: Path) -> None:
    folder.unfinished(str(tmp_path))
    with pytest.raises(StoreError, match="a restore that was cut short"):
        Client(path=str(tmp_path), database="kept").create_database()
    folder.finished(str(tmp_path))
    folder.prepare(str(tmp_path))


def test_a_folder_that_is_half_emptied_stays_marked(
    filled: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However its entries are listed, and whoever interrupts the restore twice."""
    _made(filled, tmp_path / "b")
    data = tmp_path / "data"
    listed = Path.iterdir

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def filling(*_: object) -> None:
        (data / "store").mkdir(parents=True)
        folder.unfinished(str(data))
        monkeypatch.setattr(Path, "iterdir", lambda path: iter(sorted(listed(path))))
        monkeypatch.setattr(shutil, "rmtree", interrupted)
        raise KeyboardInterrupt

    monkeypatch.setattr("pivotscope_collector.store.restore._filled", filling)
    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "b", Client(path=str(data), database="kept"), Retention(), lambda _: None)
    with pytest.raises(StoreError, match="a restore that was cut short"):
        folder.prepare(str(data))


_PATHS = st.sampled_from(["windows/1_1_1_0/a", "../a/b", "/etc/passwd/x", "a/b", "windows/../../x/y", "a//../b/c"])


@given(st.dictionaries(_PATHS, st.integers(0, 9), min_size=1))
def test_no_path_leads_out_of_the_backup(tmp_path_factory: pytest.TempPathFactory, files: dict[str, int]) -> None:
    place = tmp_path_factory.mktemp("made")
    made = Manifest(1, "1", "1", "d", {1: "x"}, {}, {path: File(size, "0") for path, size in files.items()})
    manifest.write(made, place)
    if all(path == "windows/1_1_1_0/a" for path in files):
        assert manifest.read(place) == made
    else:
        with pytest.raises(UsageError, match="is no path of a backup's file"):
            manifest.read(place)
    shutil.rmtree(place)
