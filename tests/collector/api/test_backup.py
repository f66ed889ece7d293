"""The admin call that makes a backup, over real gRPC."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from pivotscope.v1 import backup_pb2, query_pb2_grpc
from pivotscope_collector.store import manifest
from pivotscope_collector.store.client import Client

pytestmark = pytest.mark.engine


@pytest.fixture
def backups(filled: Client) -> Iterator[Path]:
    """Where the collector of these tests makes them."""
    place = Path(filled.folder, "backups")
    yield place
    shutil.rmtree(place, ignore_errors=True)


def _ask(address: str, target: str) -> list[backup_pb2.BackupResponse]:
    with grpc.insecure_channel(address) as channel:
        return list(
            query_pb2_grpc.AdminServiceStub(channel).Backup(backup_pb2.BackupRequest(target=target), timeout=60)
        )


def test_the_last_answer_says_what_was_made(address: str, backups: Path) -> None:
    last = _ask(address, "")[-1]
    assert Path(last.path).parent == backups
    held = manifest.read(Path(last.path))
    assert (dict(last.rows), last.total_files, last.bytes) == (held.rows, len(held.files), held.size)
    assert last.rows["windows"] > 0


def test_what_cannot_be_made_is_refused(address: str, backups: Path) -> None:
    (backups / "there").mkdir(parents=True)
    for target, said in {"there": "exists: remove it", "../up": "is not beneath", "/tmp/x": "is not beneath"}.items():  # noqa: S108 - it is refused
        with pytest.raises(grpc.RpcError) as caught:
            _ask(address, target)
        assert said in str(caught.value)
        assert "INVALID_ARGUMENT" in str(caught.value)
    assert [path.name for path in backups.iterdir()] == ["there"]
