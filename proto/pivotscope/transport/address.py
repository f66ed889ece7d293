"""Addresses of gRPC's form."""

from ipaddress import ip_address


def is_loopback(address: str) -> bool:
    """Whether an address (`host:port`, `[::1]:port`, `unix:path`) stays on this machine."""
    if address.startswith("unix:"):
        return True
    host = address.removeprefix("dns:").lstrip("/").rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
