"""Tokens: 256 random bits behind a public id. Pure but for the source of randomness."""

import hashlib
import secrets

_PREFIX = "pvs"


def new() -> tuple[str, str]:
    """A public id, and the token that holds it."""
    token_id = secrets.token_hex(4)
    return token_id, f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"


def id_of(token: str) -> str:
    """The public id within a token; empty where it has none."""
    prefix, _, rest = token.partition("_")
    return rest.partition("_")[0] if prefix == _PREFIX else ""


def digest(token: str) -> str:
    """SHA-256 in hexadecimal digits. A slow hash would add nothing: nobody can try 2^256 secrets."""
    return hashlib.sha256(token.encode()).hexdigest()
