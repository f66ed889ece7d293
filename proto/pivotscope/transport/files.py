"""Certificate and key files: read, checked before they are used, and looked at for changes."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pivotscope.transport.certificate import expiry

Stamp = tuple[tuple[int, int, int] | None, ...]


class CredentialsError(Exception):
    """A token, certificate or key cannot be used; says which file, and why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one side. `certificate` and `key` go together; `ca` is what the other side is judged by.

    `names` are the settings' names of the three, for messages.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    names: tuple[str, str, str] = ("ca", "certificate", "key")

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are named."""
        return tuple(path for path in (self.ca, self.certificate, self.key) if path is not None)


@dataclass(frozen=True, slots=True)
class Material:
    """What the files hold. `expires` is the end of our own certificate."""

    ca: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    expires: datetime | None = None


def load(files: TlsFiles) -> Material:
    """Read the files and check that they can be used together. Raises CredentialsError."""
    ca_name, certificate_name, key_name = files.names
    if (files.certificate is None) != (files.key is None):
        raise CredentialsError(f"{certificate_name} and {key_name} are given together or not at all")
    ca = read(files.ca, ca_name)
    if ca is not None:
        _check_ca(ca, f"{ca_name} {files.ca}")
    certificate, key = read(files.certificate, certificate_name), read(files.key, key_name)
    if certificate is None or files.certificate is None or files.key is None:
        return Material(ca)
    _check_pair(files.certificate, files.key, f"{certificate_name} {files.certificate}, {key_name} {files.key}")
    return Material(ca, certificate, key, expiry(certificate))


def read(path: Path | None, name: str) -> bytes | None:
    """The content of a file that a setting names; None where it names none. Raises CredentialsError."""
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{name} {path}: {error.strerror}") from error


def stamp(paths: Iterable[Path]) -> Stamp:
    """Differs from an earlier stamp when one of the files was written, replaced or removed since."""
    return tuple(map(_stamp, paths))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _check_ca(data: bytes, where: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=data.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise CredentialsError(f"{where}: holds no certificate; expected PEM, -----BEGIN CERTIFICATE-----") from error


def _check_pair(certificate: Path, key: Path, where: str) -> None:
    try:
        # The empty password keeps OpenSSL from asking for one on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CredentialsError(f"{where}: the key is not the one of the certificate") from error
        raise CredentialsError(
            f"{where}: expected a certificate in PEM, and its private key in PEM without a passphrase"
        ) from error
    except OSError as error:
        raise CredentialsError(f"{where}: {error.strerror}") from error
