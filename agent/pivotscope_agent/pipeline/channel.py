"""How the agent reaches the collector: address, transport security, token."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import grpc
from grpc import aio

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


class CredentialsError(Exception):
    """The token or a certificate cannot be read; says which file and why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. Without `ca` the system's roots are used; `certificate` and `key` go together (mutual TLS)."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A collector. Without `tls` it must be on this machine, unless `plaintext` says that this is meant.

    `token` is the one that the environment gave; a token file wins, and is read anew for each connection.
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


def is_loopback(address: str) -> bool:
    """Whether an address of gRPC's form (`host:port`, `[::1]:port`, `unix:path`) stays on this machine."""
    if address.startswith("unix:"):
        return True
    host = address.removeprefix("dns:").lstrip("/").rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def open_channel(endpoint: Endpoint) -> aio.Channel:
    """A channel that connects when it is first used. Reads the certificates; raises CredentialsError."""
    if endpoint.tls is None:
        return aio.insecure_channel(endpoint.address, options=OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(endpoint.tls.ca, "collector.tls.ca"),
        private_key=_read(endpoint.tls.key, "collector.tls.key"),
        certificate_chain=_read(endpoint.tls.certificate, "collector.tls.certificate"),
    )
    return aio.secure_channel(endpoint.address, credentials, options=OPTIONS)


def call_metadata(endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    """Metadata of the call, with the token as it is in its file now. Raises CredentialsError."""
    data = _read(endpoint.token_file, "collector.token_file")
    if data is None:
        return (("authorization", f"Bearer {endpoint.token}"),) if endpoint.token else ()
    try:
        token = data.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise CredentialsError(f"collector.token_file {endpoint.token_file}: a token is one line of ASCII") from error
    if not token or not token.isprintable():
        raise CredentialsError(f"collector.token_file {endpoint.token_file}: holds no token; expected one line")
    return (("authorization", f"Bearer {token}"),)


def _read(path: Path | None, key: str) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{key} {path}: {error.strerror}") from error
