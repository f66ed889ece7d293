"""The way from a command to the collector: address, token, channel, and errors in words."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar, cast

import grpc
import typer
from pivotscope.v1 import query_pb2_grpc

from pivotscope_collector.cli.waiting import waiting
from pivotscope_collector.errors import NotFoundError, PivotscopeError, UnreachableError, UsageError

DEFAULT_ADDRESS = "127.0.0.1:4640"
DEADLINE_SECONDS = 60.0
MAX_MESSAGE_BYTES = 64 * 2**20

Address = Annotated[
    str,
    typer.Option("--collector", envvar="PIVOTSCOPE_COLLECTOR", help="HOST:PORT of the collector.", show_default=True),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="File that holds the token; else PIVOTSCOPE_TOKEN.", show_default=False),
]

Reply = TypeVar("Reply")
Stub = query_pb2_grpc.QueryServiceStub
AdminStub = query_pb2_grpc.AdminServiceStub


def token_from(file: Path | None) -> str:
    """The token of the file or the environment; empty where there is none."""
    if file is None:
        return os.environ.get("PIVOTSCOPE_TOKEN", "").strip()
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise UsageError(f"--token-file {file}: {error.strerror}") from error


def ask(
    address: str,
    token_file: Path | None,
    question: Callable[[Stub, "Call"], Reply],
    *,
    seconds: float = DEADLINE_SECONDS,
) -> Reply:
    """Ask the query service one question; `question` gets the stub and the options of its calls."""
    return _with_channel(address, token_file, seconds, lambda channel, call: question(Stub(channel), call))


def ask_admin(address: str, token_file: Path | None, question: Callable[[AdminStub, "Call"], Reply]) -> Reply:
    """Ask the admin service one question."""
    return _with_channel(
        address, token_file, DEADLINE_SECONDS, lambda channel, call: question(AdminStub(channel), call)
    )


class Call:
    """What goes with every call: the credentials and the deadline."""

    def __init__(self, token: str, seconds: float) -> None:
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.timeout = seconds


def _with_channel(
    address: str, token_file: Path | None, seconds: float, use: Callable[[grpc.Channel, Call], Reply]
) -> Reply:
    call = Call(token_from(token_file), seconds)
    options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
    with waiting(f"Asking {address} …"), grpc.insecure_channel(address, options=options) as channel:
        try:
            return use(channel, call)
        except grpc.RpcError as error:
            raise _translated(cast("grpc.Call", error), address) from error


def _translated(error: grpc.Call, address: str) -> PivotscopeError:
    code, detail = error.code(), error.details() or str(error)
    if code is grpc.StatusCode.NOT_FOUND:
        return NotFoundError(detail)
    if code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION}:
        return UsageError(detail)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return UnreachableError(f"{address} refused the token: {detail}; set PIVOTSCOPE_TOKEN or --token-file")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return UnreachableError(f"{address} did not answer in time; narrow --since, or ask again")
    if code is grpc.StatusCode.UNAVAILABLE:
        return UnreachableError(
            f"no collector answers at {address} ({detail}); start one with `pivotscope collector serve`, "
            "or name it with --collector or PIVOTSCOPE_COLLECTOR"
        )
    return PivotscopeError(f"{address}: {code.name}: {detail}")
