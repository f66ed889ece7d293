from pathlib import Path

import pytest
from pivotscope.transport.files import CredentialsError, TlsFiles
from pivotscope_agent.errors import SettingsError
from pivotscope_agent.pipeline.channel import TLS_NAMES, Endpoint, call_metadata, open_channel


def test_a_token_does_not_travel_in_the_open() -> None:
    with pytest.raises(SettingsError, match=r"collector\.address = 'collector:4170': not on this machine"):
        Endpoint("collector:4170").check()
    Endpoint("collector:4170", plaintext=True).check()
    Endpoint("collector:4170", tls=TlsFiles()).check()


def test_half_a_key_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="certificate and key"):
        Endpoint("collector:4170", tls=TlsFiles(key=tmp_path)).check()


def test_the_token_is_read_at_every_call(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    endpoint = Endpoint("127.0.0.1:1", file)
    assert call_metadata(endpoint) == (("authorization", "Bearer one"),)
    file.write_text("two")
    assert call_metadata(endpoint) == (("authorization", "Bearer two"),)
    assert call_metadata(Endpoint("127.0.0.1:1")) == ()


@pytest.mark.parametrize(("content", "problem"), [(b"\n", "holds no token"), (b"a\nb", "no token"), (b"\xff", "ASCII")])
def test_a_file_without_a_token_is_said(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(CredentialsError, match=problem):
        call_metadata(Endpoint("127.0.0.1:1", file))


async def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    endpoint = Endpoint("collector:4170", tls=TlsFiles(ca=tmp_path / "ca.pem", names=TLS_NAMES))
    with pytest.raises(CredentialsError, match=r"collector\.tls\.ca .*ca\.pem: No such file"):
        open_channel(endpoint)
