"""The operating system's calls that the spool makes; tests put failing ones in their place."""

import fcntl
import os
from pathlib import Path


class Files:
    """Plain calls on files. Every method may raise OSError and may block as long as the disk does."""

    def make_folder(self, folder: Path) -> None:
        """Create a folder that only the agent's user can read, with its parents."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lock_folder(self, folder: Path) -> int:
        """Hold the folder for this process; BlockingIOError when another one does. Returns a descriptor."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def names(self, folder: Path) -> list[str]:
        """Names in a folder, sorted."""
        return sorted(path.name for path in folder.iterdir())

    def create_append(self, path: Path) -> int:
        """Create a file for appending; FileExistsError when there is one."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        """Read `length` bytes from `offset`, to the end when negative."""
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            parts = []
            while length:
                part = file.read(length)
                if not part:
                    break
                parts.append(part)
                length -= len(part) if length > 0 else 0
            return b"".join(parts)

    def truncate(self, path: Path, length: int) -> None:
        """Cut a file to `length` bytes."""
        os.truncate(path, length)

    def sync(self, descriptor: int) -> None:
        """Wait until the file's content is on the disk."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a descriptor."""
        os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Remove a file that may be gone already."""
        path.unlink(missing_ok=True)

    def reserve(self, path: Path, length: int) -> None:
        """Create a file if there is none, and take room for `length` bytes; what it holds stays."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < length:
                os.posix_fallocate(descriptor, 0, length)
        finally:
            os.close(descriptor)

    def overwrite(self, path: Path, data: bytes, *, sync: bool) -> None:
        """Write `data` over the beginning of a file, in its own room; with `sync`, it survives a power cut."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self.write(descriptor, data)
            if sync:
                self.sync(descriptor)
        finally:
            os.close(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Wait until the names in a folder are on the disk."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)
