import pytest
from pivotscope.transport.address import is_loopback


@pytest.mark.parametrize("address", ["localhost:4317", "127.0.0.1:80", "[::1]:80", "unix:/run/x", "dns:///localhost:8"])
def test_addresses_on_this_machine(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["collector:4170", "10.0.0.1:80", "127.example.com:80", "localhost.example:1"])
def test_addresses_elsewhere(address: str) -> None:
    assert not is_loopback(address)
