"""Native frames of Python: which frames are machine code, and what a run of them at the leaf means.

`py-spy --native` mixes frames of shared objects with Python's. Three things must be told apart, because a rewrite of
the Python function above brings something different for each:

- **waiting**: a system call that blocks. No CPU, no work: the sample is dropped.
- **native**: work done by compiled code already (an extension, another library, the kernel, a built-in that works
  through whole containers). A rewrite does not make it faster.
- **interpreter**: CPython running the function: evaluation, reference counts, allocation, arithmetic, attributes. It
  goes away with a rewrite, so it counts as the function's own.
"""

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

from pivotscope.profile.frame import Frame

_SOURCE = (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".rs", ".pyx", ".pxd", ".pxi", ".go", ".f", ".f90", ".S", ".asm")
_SHARED_OBJECT = re.compile(r"\.so(?:\.|$)")
_INTERPRETER_OBJECT = re.compile(r"(?:^|/)(?:libpython[\d.]*[a-z]*\.so|python(?:\d[\d.]*)?[a-z]*$)")
_INTERPRETER_SOURCE = re.compile(r"(?:^|/)(?:Objects|Python|Include|Parser|Programs)/")
_SYSTEM_OBJECT = re.compile(
    r"(?:^|/)(?:libc|libm|libpthread|libdl|librt|libgcc_s|ld-linux[\w-]*|ld-musl[\w-]*|libc\.musl[\w-]*)[.-]"
)

WAITING_CALLS = frozenset({
    "accept", "accept4", "clock_nanosleep", "epoll_pwait", "epoll_pwait2", "epoll_wait", "flock", "nanosleep", "pause",
    "poll", "ppoll", "pselect", "pthread_clockjoin_np", "pthread_cond_clockwait", "pthread_cond_timedwait",
    "pthread_cond_wait", "pthread_join", "pthread_mutex_lock", "pthread_timedjoin_np", "recv", "recvfrom", "recvmmsg",
    "recvmsg", "select", "sem_clockwait", "sem_timedwait", "sem_wait", "sigsuspend", "sigtimedwait", "sigwait",
    "sigwaitinfo", "sleep", "usleep", "wait", "wait3", "wait4", "waitid", "waitpid",
})  # fmt: skip
"""C library calls that block until something happens elsewhere."""

SYSTEM_CALLS = frozenset({
    "close", "connect", "fdatasync", "fstat", "fsync", "getdents64", "lseek", "lstat", "madvise", "mmap", "mprotect",
    "munmap", "open", "open64", "openat", "pread", "pread64", "preadv", "pwrite", "pwrite64", "pwritev", "read",
    "readv", "send", "sendfile", "sendmmsg", "sendmsg", "sendto", "stat", "syscall", "write", "writev",
})  # fmt: skip
"""C library calls whose time is the kernel's."""

CONTAINER_WORK = (
    "_sre_", "sre_", "builtin_sorted", "list_sort", "listsort", "binarysort", "gc_collect", "deduce_unreachable",
    "marshal_", "r_object", "compiler_", "_PyPegen", "unicode_encode", "unicode_decode", "PyUnicode_Decode",
    "PyUnicode_AsEncoded", "long_divrem", "x_mul", "k_mul", "x_divrem", "bytes_join", "unicode_join", "unicode_split",
    "unicode_replace", "stringlib_",
)  # fmt: skip
"""Prefixes of interpreter functions that work through whole texts, containers or big numbers in C."""

ELEMENT_MODULES = frozenset({
    "_bisect", "_collections", "_functools", "_heapq", "_operator", "_random", "_weakref", "cmath", "itertools", "math",
    "time",
})  # fmt: skip
"""Extension modules that work on one value at a time for their caller: a rewrite of the caller takes them along."""


class Leaf(Enum):
    """What the native frames at the end of a stack are."""

    WAITING = "waiting"
    NATIVE = "native"
    INTERPRETER = "interpreter"


def is_native_location(name: str, path: str, *, has_line: bool) -> bool:
    """Whether py-spy's frame is machine code: of a shared object, a program, or the source of a compiled language."""
    if path.endswith(_SOURCE) or _SHARED_OBJECT.search(path) is not None or name.startswith("0x"):
        return True
    return not has_line and (_INTERPRETER_OBJECT.search(path) is not None or path in {"?", "[vdso]"})


def classify_leaf(frames: Iterable[Frame]) -> Leaf:
    """What a run of native frames at the leaf stands for; the strongest of its frames decides."""
    kinds = {_classify(frame.name, frame.path) for frame in frames}
    if Leaf.WAITING in kinds:
        return Leaf.WAITING
    return Leaf.NATIVE if Leaf.NATIVE in kinds else Leaf.INTERPRETER


@lru_cache(maxsize=8_192)
def _classify(name: str, path: str) -> Leaf:
    if _SYSTEM_OBJECT.search(path):
        call = name.removeprefix("__libc_").removeprefix("__GI_").lstrip("_").partition("@")[0]
        if call in WAITING_CALLS:
            return Leaf.WAITING
        return Leaf.NATIVE if call in SYSTEM_CALLS else Leaf.INTERPRETER
    if _INTERPRETER_OBJECT.search(path) or _INTERPRETER_SOURCE.search(path):
        return Leaf.NATIVE if name.startswith(CONTAINER_WORK) else Leaf.INTERPRETER
    if path in {"?", "[vdso]", ""} or _module(path) in ELEMENT_MODULES:
        return Leaf.INTERPRETER
    return Leaf.NATIVE


def _module(path: str) -> str:
    """Name of the extension module that a shared object or a C source of CPython's Modules folder holds."""
    folder, _, file = path.rpartition("/")
    stem = file.partition(".")[0]
    if folder.endswith(("Modules", "Modules/clinic")):
        return stem.removesuffix("module")
    return stem
