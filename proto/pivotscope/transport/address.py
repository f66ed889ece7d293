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


def with_port(address: str, port: int) -> str:
    """An address as people write it, `host`, `host:port`, `[::1]`, with this port where it has none.

    Raises ValueError, which says what was expected. What names its kind (`unix:`, `dns:`) stays as it is.
    """
    if address.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return address
    host, colon, number = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, number = address, str(port)
    if "://" in address or not host or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise ValueError("expected HOST:PORT, an IPv6 host in brackets")
    if not number.isdecimal() or not 1 <= int(number) <= 65535:
        raise ValueError("expected HOST:PORT with a port of 1 to 65535")
    return f"{host}:{int(number)}"
