"""What must be set before the collector listens to other machines."""

from collections.abc import Callable
from pathlib import Path

from pivotscope.transport.files import CredentialsError, TlsFiles, read

from pivotscope_collector.errors import UsageError
from pivotscope_collector.settings import Settings

_TLS_NAMES = ("tls_client_ca", "tls_certificate", "tls_key")


def tls_files(settings: Settings) -> TlsFiles | None:
    """The files that TLS is made of; None where it is not asked for. Raises UsageError for half of them."""
    named = [Path(name) if name else None for name in (getattr(settings, key) for key in _TLS_NAMES)]
    ca, certificate, key = named
    if (certificate is None) != (key is None):
        raise UsageError("tls_certificate and tls_key are given together or not at all")
    if certificate is None:
        if ca is not None:
            raise UsageError("tls_client_ca asks for certificates of callers: it needs tls_certificate and tls_key too")
        return None
    return TlsFiles(ca, certificate, key, names=_TLS_NAMES)


def check(settings: Settings) -> None:
    """Refuse to listen to other machines without a token, or in the open. Raises UsageError."""
    if settings.loopback:
        return
    if not settings.token_file:
        raise UsageError(
            f"listen={settings.listen} is open to other machines and no token is set: "
            "write one into a file and name it with PIVOTSCOPE_TOKEN_FILE or --token-file"
        )
    if tls_files(settings) is None and not settings.allow_plaintext:
        raise UsageError(
            f"listen={settings.listen} is open to other machines and TLS is not set: tokens would travel in the open. "
            "Name a certificate and its key with --tls-certificate and --tls-key, or say --allow-plaintext "
            "where the network itself is encrypted"
        )


def first_token(settings: Settings) -> Callable[[], str] | None:
    """Reads the token of the collector's own file anew at each call; None where there is none. Raises UsageError."""
    if not settings.token_file:
        return None
    path = Path(settings.token_file)
    read_token(path)
    return lambda: read_token(path)


def read_token(path: Path) -> str:
    """The token of a file. Raises UsageError."""
    try:
        token = (read(path, "token_file") or b"").decode("utf-8", "replace").strip()
    except CredentialsError as error:
        raise UsageError(str(error)) from error
    if not token or not token.isascii() or any(character.isspace() for character in token):
        raise UsageError(f"token_file={path}: expected one token of printable ASCII, without spaces")
    return token
