"""Asks the short-lived child for facts."""

import asyncio
import os
import sys
from collections.abc import Sequence

from pivotscope_agent.facts.codebase import CodebaseSize
from pivotscope_agent.facts.messages import FactsAnswer, FactsRequest, FileAnswer, decode_answer, encode_request

COMMAND = (sys.executable, "-I", "-m", "pivotscope_agent.facts")
_LINE_LIMIT = 16 << 20  # a 2 MB file of one-line functions


async def read_facts(
    request: FactsRequest, *, timeout_seconds: float = 60.0, command: Sequence[str] = COMMAND
) -> FactsAnswer:
    """Run a child for one request and gather what it says.

    Never raises for what the child does: files that it did not come to are answered with the reason. The child is gone
    when this returns, also when cancelled.
    """
    collected = _Collected()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            limit=_LINE_LIMIT,
        )
    except OSError as error:
        return collected.answer(request, f"the reader could not be started: {error.strerror}")
    reason = "the reader ended early"
    try:
        async with asyncio.timeout(timeout_seconds):
            await _converse(process, request, collected)
    except TimeoutError:
        reason = f"no answer within {timeout_seconds:g} s"
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"the reader's answer is not understood: {error}"
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.shield(process.wait())
    return collected.answer(request, reason)


class _Collected:
    """What the child has said so far."""

    def __init__(self) -> None:
        self.files: dict[str, FileAnswer] = {}
        self.size: CodebaseSize | None = None
        self.reason = ""

    def answer(self, request: FactsRequest, missing: str) -> FactsAnswer:
        files = tuple(self.files.get(file) or FileAnswer(file, None, missing) for file in request.files)
        unmeasured = bool(request.root) and self.size is None
        return FactsAnswer(files, self.size, (self.reason or missing) if unmeasured else "")


async def _converse(process: asyncio.subprocess.Process, request: FactsRequest, collected: _Collected) -> None:
    if process.stdin is None or process.stdout is None:
        raise OSError("the reader has no pipes")
    process.stdin.write(encode_request(request))
    process.stdin.close()
    async for line in process.stdout:
        answer = decode_answer(line)
        if answer is None:
            break
        if isinstance(answer, FileAnswer):
            collected.files[answer.file] = answer
        else:
            collected.size, collected.reason = answer
    await process.wait()
