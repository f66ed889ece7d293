"""Files as another process sees them: below its root, symbolic links included.

An absolute link under /proc/PID/root resolves in the reader's own root if opened plainly, which names another file or
lets a container point the agent at the host's. openat2(2) with RESOLVE_IN_ROOT resolves every step below the root;
where the kernel has none (before 5.6) or forbids it, the steps are walked one by one.
"""

import ctypes
import errno
import os
import stat
from collections import deque
from types import TracebackType
from typing import Self

_SYS_OPENAT2 = 437  # the same on every architecture
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_IN_ROOT = 0x10
_MAX_LINKS = 40
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_UNAVAILABLE = {errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.E2BIG}


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_LIBC = ctypes.CDLL(None, use_errno=True)


def read_regular(descriptor: int, *, limit: int) -> bytes:
    """The first `limit` bytes of a regular file; OSError with EINVAL for anything else."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    data = bytearray()
    while len(data) < limit and (block := os.read(descriptor, min(1 << 20, limit - len(data)))):
        data += block
    return bytes(data)


def read_text(root: str, path: str, *, limit: int = 4096) -> str:
    """A small file below `root`, links resolved there; empty where it is not to be had."""
    try:
        with RootFolder(root) as folder:
            return folder.read(path, limit=limit).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


class RootFolder:
    """A folder that stands for "/". Paths are absolute in it and never lead out of it.

    Methods raise OSError as `os.open` does. Use as a context manager.
    """

    def __init__(self, folder: str = "/", *, use_openat2: bool = True) -> None:
        self._fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._use_openat2 = use_openat2

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._fd)

    def open(self, path: str, flags: int = _READ) -> int:
        """A descriptor of what `path` names; the caller closes it."""
        relative = path.lstrip("/") or "."
        if self._use_openat2:
            descriptor = self._openat2(relative, flags)
            if descriptor is not None:
                return descriptor
        return self._walk(relative, flags)

    def exists(self, path: str) -> bool:
        """Whether `path` names anything that can be looked at."""
        try:
            os.close(self.open(path, os.O_PATH | os.O_CLOEXEC))
        except (OSError, ValueError):
            return False
        return True

    def read(self, path: str, *, limit: int) -> bytes:
        """Content of a regular file. Raises OSError with EFBIG above `limit` bytes, EINVAL for what is no file."""
        descriptor = self.open(path)
        try:
            data = read_regular(descriptor, limit=limit + 1)
        finally:
            os.close(descriptor)
        if len(data) > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", path)
        return data

    def _openat2(self, relative: str, flags: int) -> int | None:
        how = _OpenHow(flags=flags, mode=0, resolve=_RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
        name = os.fsencode(relative)
        if b"\0" in name:
            raise OSError(errno.EINVAL, "a path holds a NUL byte", relative)
        result = _LIBC.syscall(
            ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(self._fd), name, ctypes.byref(how), ctypes.c_size_t(24)
        )
        if result >= 0:
            return int(result)
        code = ctypes.get_errno()
        if code in _UNAVAILABLE:
            self._use_openat2 = False
            return None
        raise OSError(code, os.strerror(code), relative)

    def _walk(self, relative: str, flags: int) -> int:
        """Open step by step, following links by hand; a step up from the root stays there."""
        parents = [os.dup(self._fd)]
        steps = deque(relative.split("/"))
        links = 0
        try:
            while steps:
                step = steps.popleft()
                if step in {"", "."}:
                    continue
                if step == "..":
                    if len(parents) > 1:
                        os.close(parents.pop())
                    continue
                here = os.open(step, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parents[-1])
                if not stat.S_ISLNK(os.fstat(here).st_mode):
                    parents.append(here)
                    continue
                os.close(here)
                links += 1
                if links > _MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
                target = os.readlink(step, dir_fd=parents[-1])
                if target.startswith("/"):
                    while len(parents) > 1:
                        os.close(parents.pop())
                steps.extendleft(reversed(target.split("/")))
            return self._reopen(parents[-1], flags)
        finally:
            for parent in parents:
                os.close(parent)

    @staticmethod
    def _reopen(descriptor: int, flags: int) -> int:
        """A descriptor of the same file with other flags."""
        if flags & os.O_PATH:
            return os.dup(descriptor)
        return os.open(f"/proc/self/fd/{descriptor}", flags)
