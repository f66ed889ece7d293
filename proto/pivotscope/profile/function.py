"""The identity of a function and of a stack."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from pivotscope.profile.language import Language


class Owner(StrEnum):
    """Whose code a function is. Only the application's own functions can be candidates."""

    APPLICATION = "application"
    LIBRARY = "library"
    STANDARD = "standard"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True)
class Function:
    """A function, named so that the name survives edits and releases: no line, no version.

    `path` is relative to the codebase's root with forward slashes. `owner` is an attribute, not part
    of the identity.
    """

    codebase: str
    language: Language
    path: str
    qualified_name: str
    owner: Owner = Owner.APPLICATION


def function_id(codebase: str, language: str, path: str, qualified_name: str) -> int:
    """64-bit id of a function: a hash over its length-delimited parts."""
    return _digest(part.encode("utf-8", "surrogateescape") for part in (codebase, language, path, qualified_name))


def stack_id(function_ids: Iterable[int]) -> int:
    """64-bit id of a stack: a hash over the ids of its functions, root first."""
    return _digest(value.to_bytes(8, "big") for value in function_ids)


def _digest(parts: Iterable[bytes]) -> int:
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return int.from_bytes(digest.digest(), "big")
