"""A backup beside everything else that runs, with its progress."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pivotscope.v1 import backup_pb2

from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.store.backup import Progress, back_up
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.manifest import Manifest

_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Backups:
    """Makes backups of one store below one folder, one at a time. `still` holds back what drops raw rows meanwhile."""

    client: Client
    folder: Path
    still: AbstractContextManager[object]
    busy: asyncio.Lock

    async def make(self, target: str, now_ns: int) -> AsyncGenerator[backup_pb2.BackupResponse, None]:
        """Make one; progress, and at last what was made. Raises UsageError and StoreError.

        A caller that goes away ends it, and nothing of it stays.
        """
        place = self._place(target or name_of(now_ns))
        if self.busy.locked():
            raise UsageError("a backup is being made already: wait for its end")
        async with self.busy:
            latest = Progress(0, 0, 0, 0)
            gone = threading.Event()

            def tell(progress: Progress) -> None:
                nonlocal latest
                latest = progress
                if gone.is_set():
                    raise StoreError("the backup was given up by its caller: nothing was backed up")

            work = asyncio.ensure_future(
                asyncio.to_thread(back_up, self.client, place, now_ns, tell, self.still),
            )
            try:
                while not (await asyncio.wait([work], timeout=_EVERY_SECONDS))[0]:
                    yield _progress(latest)
                yield _made(work.result(), place)
            finally:
                gone.set()
                await asyncio.wait([work])
                if not work.cancelled():
                    work.exception()

    def _place(self, target: str) -> Path:
        base = self.folder.absolute()
        place = Path(base, target)
        if ".." in place.parts or base not in place.parents:
            raise UsageError(f"{target!r} is not beneath {base}: a collector makes backups there (backup_dir)")
        return place


def name_of(now_ns: int) -> str:
    """The name of a backup that has none: its moment in UTC."""
    return datetime.fromtimestamp(now_ns / 1e9, UTC).strftime("pivotscope-%Y%m%dT%H%M%SZ")


def _progress(progress: Progress) -> backup_pb2.BackupResponse:
    return backup_pb2.BackupResponse(
        bytes=progress.bytes,
        total_bytes=progress.total_bytes,
        files=progress.files,
        total_files=progress.total_files,
    )


def _made(manifest: Manifest, place: Path) -> backup_pb2.BackupResponse:
    size, files = manifest.size, len(manifest.files)
    return backup_pb2.BackupResponse(
        bytes=size, total_bytes=size, files=files, total_files=files, path=str(place), rows=manifest.rows
    )
