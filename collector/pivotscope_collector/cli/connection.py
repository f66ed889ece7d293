"""The way from a command to the collector: address, token, channel, and errors in words."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar, cast

import grpc
import typer
from pivotscope.transport.address import is_loopback, with_port
from pivotscope.transport.files import CredentialsError, load
from pivotscope.transport.trouble import explain
from pivotscope.v1 import query_pb2_grpc

from pivotscope_collector.cli import transport
from pivotscope_collector.cli.transport import Transport
from pivotscope_collector.cli.waiting import waiting
from pivotscope_collector.errors import NotFoundError, PivotscopeError, UnreachableError, UsageError

DEFAULT_PORT = 4640
DEFAULT_ADDRESS = f"127.0.0.1:{DEFAULT_PORT}"
DEADLINE_SECONDS = 60.0
MAX_MESSAGE_BYTES = 64 * 2**20
_CHANNEL = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]

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
    try:
        address = with_port(address, DEFAULT_PORT)
    except ValueError as error:
        raise UsageError(f"--collector {address!r}: {error}") from error
    call = Call(token_from(token_file), seconds)
    with waiting(f"Asking {address} …"), _open(address, transport.current(), secret=bool(call.metadata)) as channel:
        try:
            return use(channel, call)
        except grpc.RpcError as error:
            raise _translated(cast("grpc.Call", error), address) from error


def _open(address: str, how: Transport, *, secret: bool) -> grpc.Channel:
    """A channel; a token (`secret`) does not travel in the open unless that is said to be meant."""
    if how.tls is None:
        if secret and not how.plaintext and not is_loopback(address):
            raise UsageError(
                f"{address} is not this machine, and without TLS the network would see the token: "
                "give --ca FILE or --tls, or say --plaintext where the network itself is encrypted"
            )
        return grpc.insecure_channel(address, options=_CHANNEL)
    try:
        material = load(how.tls)
    except CredentialsError as error:
        raise UsageError(str(error)) from error
    credentials = grpc.ssl_channel_credentials(material.ca, material.key, material.certificate)
    return grpc.secure_channel(address, credentials, options=_CHANNEL)


def _plainly(detail: str) -> str:
    """What a refused connection means where it is a matter of TLS; empty where it is none."""
    tls = transport.current().tls
    return explain(detail, tls, load(tls).expires if tls else None, datetime.now(UTC))


_ERRORS: dict[grpc.StatusCode, tuple[type[PivotscopeError], str]] = {
    grpc.StatusCode.NOT_FOUND: (NotFoundError, "{detail}"),
    grpc.StatusCode.INVALID_ARGUMENT: (UsageError, "{detail}"),
    grpc.StatusCode.FAILED_PRECONDITION: (UsageError, "{detail}"),
    grpc.StatusCode.UNAUTHENTICATED: (
        UnreachableError,
        "{address} refused the token: {detail}; set PIVOTSCOPE_TOKEN or --token-file",
    ),
    grpc.StatusCode.PERMISSION_DENIED: (UnreachableError, "{address} refused: {detail}"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (UnreachableError, "{address} does not answer now: {detail}"),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        UnreachableError,
        "{address} did not answer in time; narrow --since, or ask again",
    ),
    grpc.StatusCode.UNAVAILABLE: (
        UnreachableError,
        "no collector answers at {address} ({detail}): start one with `pivotscope collector serve`, or name it",
    ),
}
"""What a status means to a user; any other is an error that names it."""


def _translated(error: grpc.Call, address: str) -> PivotscopeError:
    code, detail = error.code(), error.details() or str(error)
    if code is grpc.StatusCode.UNAVAILABLE and (reason := _plainly(detail)):
        return UnreachableError(f"{address}: {reason} ({detail})")
    kind, text = _ERRORS.get(code, (PivotscopeError, f"{{address}}: {code.name}: {{detail}}"))
    return kind(text.format(address=address, detail=detail))
