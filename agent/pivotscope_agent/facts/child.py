"""The short-lived process that reads source, so that the agent itself never holds any.

It answers requests from standard input until that closes. Its memory, CPU time and file sizes are bounded; it dies with
the agent.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, TextIO

from pivotscope.profile.language import Language
from pivotscope.source import SourceError, read

from pivotscope_agent.facts.codebase import measure_codebase
from pivotscope_agent.facts.messages import FactsRequest, FileAnswer, decode_request, encode_file, encode_size
from pivotscope_agent.targets.inside import RootFolder

MAX_FILE_BYTES = 2 << 20
MAX_MEMORY_BYTES = 1 << 30
MAX_CPU_SECONDS = 30
_PR_SET_PDEATHSIG = 1


def serve(requests: BinaryIO, answers: TextIO) -> None:
    """Answer every request line; an unreadable one ends the process with ValueError."""
    for line in requests:
        for answer in respond(decode_request(line)):
            answers.write(answer + "\n")
            answers.flush()
        answers.write('{"done": true}\n')
        answers.flush()


def respond(request: FactsRequest, *, clock: Callable[[], float] = time.monotonic) -> Iterator[str]:
    """Answers to one request, as lines."""
    try:
        folder = RootFolder(request.container_root)
    except OSError as error:
        reason = f"the process's root cannot be opened: {error.strerror}"
        yield from (encode_file(FileAnswer(file, None, reason)) for file in request.files)
        if request.root:
            yield encode_size(None, reason)
        return
    with folder:
        for file in request.files:
            yield encode_file(_read(folder, file, request.language))
        if request.root:
            try:
                yield encode_size(measure_codebase(folder, request.root, [request.language], clock=clock))
            except OSError as error:
                yield encode_size(None, f"{request.root}: {error.strerror}")


def _read(folder: RootFolder, file: str, language: Language) -> FileAnswer:
    try:
        data = folder.read(file, limit=MAX_FILE_BYTES)
        return FileAnswer(file, read(data, language))
    except OSError as error:
        return FileAnswer(file, None, f"cannot be read: {error.strerror}")
    except SourceError as error:
        return FileAnswer(file, None, str(error))
    except MemoryError:
        return FileAnswer(file, None, "needs more memory than the reader may use")


def bound_self() -> None:
    """Give this process its limits: low priority, bounded memory and CPU time, no core file, death with its parent."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
