"""What a caller may do. Pure values."""

from contextvars import ContextVar
from dataclasses import dataclass

NEVER = 4_102_444_800
"""The year 2100, unix seconds: a token that does not end by itself."""
ALL = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """The rights of a token. `write` names services, and codebases that are named otherwise; "*" is all of them.

    `digest` is the SHA-256 of the token, in hexadecimal digits; `ends` is in unix seconds.
    """

    token_id: str
    name: str
    digest: str = ""
    read: bool = False
    admin: bool = False
    write: frozenset[str] = frozenset()
    created_ms: int = 0
    created_by: str = ""
    ends: int = NEVER
    revoked_by: str = ""

    def may_write(self, name: str) -> bool:
        """Whether it may write for a service or a codebase."""
        return name in self.write or ALL in self.write

    @property
    def rights(self) -> str:
        """What it allows, in words."""
        named = ["read"] * self.read + ["admin"] * self.admin
        return ", ".join([*named, *(f"write {name}" for name in sorted(self.write))]) or "nothing"


ANYONE = Grant("", "anyone", read=True, admin=True, write=frozenset({ALL}))
"""Who calls where no token is asked for, and for whom nothing was checked."""

CALLER: ContextVar[Grant] = ContextVar("caller", default=ANYONE)
"""Who makes the call that is being answered."""
