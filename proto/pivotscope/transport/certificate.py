"""The one fact of a certificate that the standard library does not tell: when it ends."""

import ssl
from datetime import UTC, datetime

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_VERSION, _UTC_TIME = 0xA0, 0x17


def expiry(pem: bytes) -> datetime | None:
    """When the first certificate of a PEM text ends; None where it cannot be read.

    Certificate ::= { tbs { [version], serial, algorithm, issuer, validity { from, to }, … } … } (RFC 5280, 4.1).
    """
    text = pem.decode("ascii", "replace")
    try:
        block = text[text.index(_BEGIN) : text.index(_END) + len(_END)]
        der = ssl.PEM_cert_to_DER_cert(block)
        _, at, _ = _element(der, 0)
        _, at, _ = _element(der, at)
        if der[at] == _VERSION:
            at = _element(der, at)[2]
        for _skipped in ("serial", "algorithm", "issuer"):
            at = _element(der, at)[2]
        _, at, _ = _element(der, at)
        tag, begin, end = _element(der, _element(der, at)[2])
        digits = der[begin:end].decode("ascii")
        # UTCTime has two digits of the year: 50 to 99 are of the last century (RFC 5280, 4.1.2.5.1).
        century = "" if tag != _UTC_TIME else "19" if int(digits[:2]) >= 50 else "20"
        return datetime.strptime(century + digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return None


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag of the element at `at`, and where its content begins and ends."""
    tag, length, begin = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + size], "big"), begin + size
    return tag, begin, begin + length
