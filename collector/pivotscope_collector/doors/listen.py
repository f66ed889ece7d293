"""Opening the port that agents and commands connect to."""

import socket
from errno import EADDRINUSE

import grpc.aio

from pivotscope_collector.counters import Counters
from pivotscope_collector.doors import policy
from pivotscope_collector.doors.tls import Certificates
from pivotscope_collector.errors import UsageError
from pivotscope_collector.gauges import Gauge, Gauges
from pivotscope_collector.settings import Settings, split_listen


def listen(server: grpc.aio.Server, settings: Settings, counters: Counters, gauges: Gauges) -> int:
    """Add the port that the settings name; gives its number. Raises UsageError."""
    policy.check(settings)
    files = policy.tls_files(settings)
    certificates = Certificates(files, counters) if files else None
    credentials = certificates.credentials() if certificates else None
    if certificates:
        gauges.read_with(Gauge.CERTIFICATE_SECONDS, certificates.remaining_seconds)
    try:
        if credentials:
            return server.add_secure_port(settings.listen, credentials)
        return server.add_insecure_port(settings.listen)
    except RuntimeError as error:
        raise UsageError(f"cannot listen on {settings.listen}: the address is in use or not of this machine") from error


def probe(settings: Settings) -> None:
    """See that the collector may and can listen, before anything is opened. Raises UsageError, which says why not."""
    policy.check(settings)
    host, port = split_listen(settings.listen)
    try:
        family, kind, _, _, where = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(where)
            one.listen()
    except OSError as error:
        hint = "; is another collector running? Name another port with --listen" if error.errno == EADDRINUSE else ""
        raise UsageError(f"cannot listen on {settings.listen}: {error.strerror}{hint}") from error
