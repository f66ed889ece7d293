import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope.transport.certificate import expiry
from pivotscope.transport.files import CredentialsError, TlsFiles, load, stamp

from tests.certificates import OPENSSL, Authority, Pair, install, needs_openssl

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("someone")


def test_files_that_fit_are_read(authority: Authority, pair: Pair) -> None:
    found = load(TlsFiles(authority.ca, pair.certificate, pair.key))
    assert found.ca == authority.ca.read_bytes()
    assert found.key == pair.key.read_bytes()
    assert found.expires is not None
    assert timedelta(days=8) < found.expires - datetime.now(UTC) <= timedelta(days=9)


def test_the_end_is_the_one_that_openssl_tells(authority: Authority) -> None:
    for days in (-1, 1, 40_000):
        certificate = authority.issue("someone", days=days).certificate
        told = subprocess.run(
            [OPENSSL or "", "x509", "-in", certificate, "-noout", "-enddate"],
            check=True,
            capture_output=True,
            text=True,
        )
        expected = datetime.strptime(told.stdout.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        assert expiry(certificate.read_bytes()) == expected


@given(st.binary(max_size=60))
def test_what_is_no_certificate_has_no_end(data: bytes) -> None:
    assert expiry(data) is None
    assert expiry(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----") is None


def test_what_cannot_be_used_is_named(authority: Authority, pair: Pair, tmp_path: Path) -> None:
    other = authority.issue("other")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    wrong = {
        r"^ca .*gone\.pem: No such file": TlsFiles(ca=tmp_path / "gone.pem"),
        r"^ca .*rubbish\.pem: holds no certificate": TlsFiles(ca=rubbish),
        "given together": TlsFiles(certificate=pair.certificate),
        "the key is not the one of the certificate": TlsFiles(certificate=pair.certificate, key=other.key),
        "expected a certificate in PEM": TlsFiles(certificate=rubbish, key=pair.key),
        "private key in PEM without a passphrase": TlsFiles(certificate=pair.certificate, key=_locked(pair, tmp_path)),
    }
    for said, files in wrong.items():
        with pytest.raises(CredentialsError, match=said):
            load(files)


def test_a_stamp_tells_changes(authority: Authority, pair: Pair, tmp_path: Path) -> None:
    target = install(pair, tmp_path)
    paths = (target.certificate, target.key)
    before = stamp(paths)
    assert stamp(paths) == before
    install(authority.issue("other"), tmp_path)
    after = stamp(paths)
    assert after != before
    target.key.unlink()
    assert stamp(paths) not in (before, after)


def _locked(pair: Pair, folder: Path) -> Path:
    locked = folder / "locked.key"
    command = [OPENSSL or "", "ec", "-in", str(pair.key), "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    return locked
