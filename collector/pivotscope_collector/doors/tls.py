"""The server's side of TLS: certificates that are read anew when their files change."""

import logging
import threading
from datetime import UTC, datetime

import grpc
from pivotscope.transport.files import CredentialsError, Material, TlsFiles, load, stamp

from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import UsageError

_LOG = logging.getLogger(__name__)


class Certificates:
    """Credentials of the server, TLS 1.2 and newer. With a `ca`, callers must have a certificate that it signed.

    gRPC asks at every handshake whether there is something newer. Files that do not fit together, as they are while
    they are being replaced, are said and not taken.
    """

    def __init__(self, files: TlsFiles, counters: Counters) -> None:
        self._files = files
        self._counters = counters
        self._lock = threading.Lock()
        self._stamp = stamp(files.paths)
        self.expires: datetime | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Credentials for a port. Raises UsageError where the files cannot be used."""
        self._stamp = stamp(self._files.paths)
        try:
            material = self._load()
        except CredentialsError as error:
            raise UsageError(str(error)) from error
        return grpc.dynamic_ssl_server_credentials(
            _configuration(material),
            self._newer,  # type: ignore[arg-type]  # None, for nothing newer, is not in the stubs
            require_client_authentication=self._files.ca is not None,
        )

    def remaining_seconds(self) -> float | None:
        """Until the certificate in use ends; None where that cannot be told."""
        return (self.expires - datetime.now(UTC)).total_seconds() if self.expires else None

    def _newer(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC in a thread of its own, at every handshake; must not raise."""
        with self._lock:
            found = stamp(self._files.paths)
            if found == self._stamp:
                return None
            self._stamp = found
            try:
                material = self._load()
            except CredentialsError as error:
                self._counters.add(Count.CERTIFICATE_LOADS, label="refused")
                _LOG.error("changed certificates are not used, the earlier ones still are: %s", error)
                return None
            self._counters.add(Count.CERTIFICATE_LOADS, label="taken")
            _LOG.info("certificates have changed and are taken up")
            return _configuration(material)

    def _load(self) -> Material:
        material = load(self._files)
        self.expires = material.expires
        if material.expires and material.expires <= datetime.now(UTC):
            _LOG.error("%s %s has expired on %s: callers will refuse it", self._files.names[1], self._files.certificate,
                       f"{material.expires:%Y-%m-%d}")  # fmt: skip
        return material


def _configuration(material: Material) -> grpc.ServerCertificateConfiguration:
    pair = (material.key or b"", material.certificate or b"")
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=material.ca)
