"""The words are gRPC's own; tests over real connections (test_doors.py) see that it still uses them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pivotscope.transport.files import TlsFiles
from pivotscope.transport.trouble import explain

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILED = "failed to connect to all addresses; last error: "
OWN = TlsFiles(Path("ca.pem"), Path("own.pem"), Path("own.key"))


@pytest.mark.parametrize(
    ("detail", "tls", "said"),
    [
        (f"{FAILED}UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed", None, "if it speaks TLS, name its CA"),
        (f"{FAILED}UNKNOWN: ipv4:127.0.0.1:1: connect: Connection refused (111)", None, ""),
        ("wrong token", None, ""),
        (f"{FAILED}SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER", TlsFiles(), "answers without TLS"),
        (f"{FAILED}CERTIFICATE_VERIFY_FAILED: certificate has expired", TlsFiles(), "of the collector has expired"),
        (f"{FAILED}CERTIFICATE_VERIFY_FAILED: certificate is not yet valid", TlsFiles(), "check the clocks"),
        (f"{FAILED}CERTIFICATE_VERIFY_FAILED: unable to get", TlsFiles(), "the system's roots; set ca"),
        (f"{FAILED}CERTIFICATE_VERIFY_FAILED: unable to get", OWN, "not signed by a CA of ca ca.pem"),
        (f"{FAILED}Hostname Verification Check failed.", TlsFiles(), "subjectAltName"),
        (f"{FAILED}Socket closed", TlsFiles(), "set certificate and key"),
        (f"{FAILED}Socket closed", OWN, "own.pem may not be signed"),
        ("the collector ended the stream", OWN, ""),
    ],
)
def test_what_is_wrong_is_named(detail: str, tls: TlsFiles | None, said: str) -> None:
    found = explain(detail, tls, NOW + timedelta(days=1), NOW)
    assert said in found
    assert bool(said) == bool(found)


def test_an_own_certificate_that_has_expired_is_named() -> None:
    assert "own.pem has expired on 2025-12-31" in explain(f"{FAILED}Socket closed", OWN, NOW - timedelta(1), NOW)
