from pathlib import Path

import pytest
from pivotscope_collector.doors import policy
from pivotscope_collector.errors import UsageError
from pivotscope_collector.settings import Settings


def test_this_machine_needs_nothing() -> None:
    for listen in ("127.0.0.1:0", "localhost:1", "[::1]:4640"):
        policy.check(Settings(listen=listen))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no token is set"),
        ({"tls_certificate": "c.pem", "tls_key": "c.key"}, "no token is set"),
        ({"allow_plaintext": True}, "no token is set"),
        ({"token_file": "token"}, "--tls-certificate and --tls-key, or say --allow-plaintext"),
    ],
)
def test_other_machines_need_a_token_and_a_secret_way(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        policy.check(Settings(listen="0.0.0.0:4640", **given))  # type: ignore[arg-type]


def test_a_token_with_tls_or_plaintext_that_is_meant_will_do() -> None:
    policy.check(Settings(listen="0.0.0.0:4640", token_file="t", tls_certificate="c", tls_key="k"))
    policy.check(Settings(listen="0.0.0.0:4640", token_file="t", allow_plaintext=True))


def test_half_of_tls_is_refused() -> None:
    with pytest.raises(UsageError, match="together"):
        policy.tls_files(Settings(tls_certificate="c"))
    with pytest.raises(UsageError, match="tls_client_ca asks"):
        policy.tls_files(Settings(tls_client_ca="c"))
    assert policy.tls_files(Settings()) is None


@pytest.mark.parametrize("content", ["", "two words", "ünlikely"])
def test_a_file_without_a_token_is_said(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(UsageError, match="expected one token"):
        policy.read_token(file)
    with pytest.raises(UsageError, match=r"token_file .*gone: No such file"):
        policy.read_token(tmp_path / "gone")
