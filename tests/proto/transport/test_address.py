import pytest
from pivotscope.transport.address import is_loopback, with_port


@pytest.mark.parametrize("address", ["localhost:4317", "127.0.0.1:80", "[::1]:80", "unix:/run/x", "dns:///localhost:8"])
def test_addresses_on_this_machine(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["collector:4170", "10.0.0.1:80", "127.example.com:80", "localhost.example:1"])
def test_addresses_elsewhere(address: str) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("collector", "collector:4640"),
        ("collector:80", "collector:80"),
        ("[::1]", "[::1]:4640"),
        ("[::1]:80", "[::1]:80"),
        ("unix:/run/collector.sock", "unix:/run/collector.sock"),
        ("dns:///collector:80", "dns:///collector:80"),
    ],
)
def test_an_address_without_a_port_gets_one(given: str, meant: str) -> None:
    assert with_port(given, 4640) == meant


@pytest.mark.parametrize(
    "given", ["", ":80", "::1", "http://collector:80", "collector:", "collector:0", "collector:99999"]
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="expected HOST:PORT"):
        with_port(given, 4640)
