"""Selections: from the wire to the store, checked."""

from pivotscope.v1 import query_pb2

from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.names import shown
from pivotscope_collector.settings import Retention
from pivotscope_collector.store import catalogue
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import kept
from pivotscope_collector.store.selection import LATEST_NS, NAMES, Selection

DEFAULT_RANGE_NS = 3600 * 10**9
_NAME = Limits().text_length
"""Characters of a name that windows may carry."""
OPTIONAL = ("environment", "version", "variant")
"""Names that windows may lack."""
_LISTED = 20
"""Known names that an error lists."""

Named = tuple[str, str, str]
"""A service, or empty, and a name of its windows with its value."""


def selection_of(message: query_pb2.Selection, now_ns: int, retention: Retention) -> Selection:
    """The selection of a request: an open end is now, an open start is an hour before the end. Raises UsageError."""
    for name in ("since_unix_ns", "until_unix_ns"):
        value = getattr(message, name)
        if not 0 <= value <= LATEST_NS:
            raise UsageError(f"{name}={value}: expected unix nanoseconds from 0 to {LATEST_NS}, in 2106")
    for name in NAMES:
        length = len(getattr(message, name))
        if length > _NAME:
            raise UsageError(f"{name}: {length} characters, expected at most {_NAME}")
    until_ns = message.until_unix_ns or now_ns
    since_ns = message.since_unix_ns or max(0, until_ns - DEFAULT_RANGE_NS)
    if since_ns >= until_ns:
        raise UsageError("the range ends before it starts")
    environment, version, variant = (_name(message, name) for name in OPTIONAL)
    for name in message.without:
        if name not in OPTIONAL:
            raise UsageError(f"without {name!r}: expected one of {', '.join(OPTIONAL)}")
    return Selection(since_ns, until_ns, message.service, environment, version, variant, kept=kept(retention, now_ns))


def _name(message: query_pb2.Selection, name: str) -> str | None:
    """The name that is asked for, empty for windows without it; None: all."""
    value: str = getattr(message, name)
    if value and name in message.without:
        raise UsageError(f"{name} {value!r} and none at once: ask for one of them")
    return value if value or name in message.without else None


def require_service(client: Client, name: str) -> None:
    """Raise where nothing is kept of this service; the message lists those of late."""
    if not name or catalogue.knows_service(client, name):
        return
    known = catalogue.services(client, _LISTED + 1)
    listing = ", ".join(known[:_LISTED]) + (" and more" if len(known) > _LISTED else "")
    listing = listing or "none yet: is an agent running and connected? (pivotscope agents list)"
    raise NotFoundError(f"unknown service {name!r}; known: {listing}")


def require_names(client: Client, selection: Selection, seen: set[Named]) -> None:
    """Raise for an environment, version or variant that the service never had; the message lists those that it had.

    What was `seen` once is not looked for again.
    """
    for name, value in selection.names.items():
        named = (selection.service, name, value)
        if name in OPTIONAL and named not in seen:
            _require(client, named)
            seen.add(named)


def _require(client: Client, named: Named) -> None:
    service, name, wanted = named
    known = set()
    for value in catalogue.values(client, service, name):
        if value == wanted:
            return
        known.add(value)
    ordered = [shown(value) for value in sorted(known, key=lambda value: (not value, value))]
    listing = ", ".join(ordered[:_LISTED]) or "none yet"
    more = f" and {len(ordered) - _LISTED} more (pivotscope labels {name})" if len(ordered) > _LISTED else ""
    raise NotFoundError(f"unknown {name} {shown(wanted)!r}; known: {listing}{more}")
