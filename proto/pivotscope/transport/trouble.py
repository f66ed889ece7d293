"""What is wrong with a connection, and what to do: gRPC's words for it, put plainly. Pure."""

from datetime import datetime

from pivotscope.transport.files import TlsFiles

_CLOSED = ("Socket closed", "Connection reset", "GOAWAY", "EOF")

# What gRPC says about the other side's certificate → what it means. The first that is found is it.
_JUDGED = {
    "WRONG_VERSION_NUMBER": "the collector answers without TLS; give it a certificate (tls_certificate), "
    "or ask without TLS",
    "certificate has expired": "the certificate of the collector has expired; renew it there (tls_certificate)",
    "certificate is not yet valid": "the certificate of the collector is not valid yet; check the clocks",
    "Hostname Verification": "the certificate of the collector does not name this address; use a name that it has, "
    "or give it one with this name (subjectAltName)",
    "CERTIFICATE_VERIFY_FAILED": "the certificate of the collector is not signed by a CA of {known}",
}


def explain(detail: str, tls: TlsFiles | None, expires: datetime | None, now: datetime) -> str:
    """A sentence for the status detail of a call that found no connection; empty where it is no matter of TLS.

    `expires` is the end of our own certificate, where there is one.
    """
    dropped = "failed to connect" in detail and any(word in detail for word in _CLOSED)
    if tls is None:
        # A listener that expects TLS drops whoever speaks without.
        return "the collector dropped the connection: if it speaks TLS, name its CA here" if dropped else ""
    meaning = next((text for words, text in _JUDGED.items() if words in detail), "")
    if meaning:
        ca = tls.names[0]
        return meaning.format(known=f"{ca} {tls.ca}" if tls.ca else f"the system's roots; set {ca}")
    return f"the collector ended the handshake: {_own_fault(tls, expires, now)}" if dropped else ""


def _own_fault(tls: TlsFiles, expires: datetime | None, now: datetime) -> str:
    """What a collector that says nothing may hold against our certificate."""
    _, certificate, key = tls.names
    if tls.certificate is None:
        return f"it may want a certificate of ours (mutual TLS); set {certificate} and {key}"
    if expires is not None and expires <= now:
        return f"{certificate} {tls.certificate} has expired on {expires:%Y-%m-%d}; renew it"
    return f"{certificate} {tls.certificate} may not be signed by a CA that it knows (tls_client_ca)"
