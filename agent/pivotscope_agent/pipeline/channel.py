"""How the agent reaches the collector: address, transport security, token."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc
from grpc import aio
from pivotscope.transport.address import is_loopback
from pivotscope.transport.files import CredentialsError, Stamp, TlsFiles, load, read, stamp
from pivotscope.transport.trouble import explain

from pivotscope_agent.errors import SettingsError

_MAX_RECEIVED_BYTES = 1024 * 1024

OPTIONS: tuple[tuple[str, int], ...] = (
    # Servers end a stream that is pinged more often than every five minutes while nothing is sent. A peer that
    # vanishes while records are on their way is noticed sooner, by its silence.
    ("grpc.keepalive_time_ms", 330_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # The agent decides when to connect again; the channel must not sleep longer than that.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.max_receive_message_length", _MAX_RECEIVED_BYTES),
    ("grpc.enable_retries", 0),
)

TLS_NAMES = ("collector.tls.ca", "collector.tls.certificate", "collector.tls.key")
"""What the settings call the files."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A collector. Without `tls` it must be on this machine, unless `plaintext` says that this is meant.

    `token` is the one that the environment gave; a token file wins. Files are read anew for each connection.
    """

    address: str
    token_file: Path | None = None
    tls: TlsFiles | None = None
    plaintext: bool = False
    token: str = field(default="", repr=False)

    def check(self) -> None:
        """Raise SettingsError when the token would travel in the open, or half a key pair is given."""
        if self.tls is None:
            if not self.plaintext and not is_loopback(self.address):
                raise SettingsError(
                    f"collector.address = {self.address!r}: not on this machine, so a connection without TLS would "
                    "show the token to the network; set collector.tls, or collector.plaintext = true where the "
                    "network itself is encrypted"
                )
        elif (self.tls.certificate is None) != (self.tls.key is None):
            raise SettingsError("collector.tls: certificate and key are given together or not at all")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that a connection is made with."""
        token = (self.token_file,) if self.token_file else ()
        return (*token, *(self.tls.paths if self.tls else ()))

    def stamp(self) -> Stamp:
        """Differs from an earlier one when a file has changed since."""
        return stamp(self.files)


def open_channel(endpoint: Endpoint) -> aio.Channel:
    """A channel that connects when it is first used. Reads the certificates; raises CredentialsError."""
    if endpoint.tls is None:
        return aio.insecure_channel(endpoint.address, options=OPTIONS)
    material = load(endpoint.tls)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=material.ca, private_key=material.key, certificate_chain=material.certificate
    )
    return aio.secure_channel(endpoint.address, credentials, options=OPTIONS)


def call_metadata(endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    """Metadata of the call, with the token as it is in its file now. Raises CredentialsError."""
    data = read(endpoint.token_file, "collector.token_file")
    if data is None:
        return (("authorization", f"Bearer {endpoint.token}"),) if endpoint.token else ()
    try:
        token = data.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise CredentialsError(f"collector.token_file {endpoint.token_file}: a token is one line of ASCII") from error
    if not token or not token.isprintable():
        raise CredentialsError(f"collector.token_file {endpoint.token_file}: holds no token; expected one line")
    return (("authorization", f"Bearer {token}"),)


def check_files(endpoint: Endpoint) -> str:
    """Why no connection could be made with the files as they are now; empty where one could."""
    try:
        call_metadata(endpoint)
        if endpoint.tls:
            load(endpoint.tls)
    except CredentialsError as error:
        return str(error)
    return ""


def plainly(endpoint: Endpoint, detail: str) -> str:
    """The detail of a failed connection, with what it means and what to do where it is a matter of TLS."""
    try:
        expires = load(endpoint.tls).expires if endpoint.tls else None
    except CredentialsError as error:
        return str(error)
    reason = explain(detail, endpoint.tls, expires, datetime.now(UTC))
    return f"{reason} ({detail})" if reason else detail
