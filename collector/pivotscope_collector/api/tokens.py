"""Making, listing and ending tokens, and the record of admin calls."""

from dataclasses import replace

from pivotscope.v1 import query_pb2

from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.security import token as tokens
from pivotscope_collector.security.book import TokenBook
from pivotscope_collector.security.grant import CALLER, NEVER, Grant
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.tokens import TokenRow, audit, save

_NAME, _WRITES, _AUDIT, _MOST_AUDIT = 100, 1000, 100, 10_000
_SECOND, _MS = 10**9, 10**6


def create_token(
    client: Client, book: TokenBook, request: query_pb2.CreateTokenRequest, now_ns: int
) -> query_pb2.CreateTokenResponse:
    """Make a token. Raises UsageError for a request that makes no sense."""
    _check(request, now_ns)
    book.read_store()
    if any(grant.name == request.name and not _has_ended(grant, now_ns) for grant in book.grants()):
        raise UsageError(f"there is a valid token {request.name!r} already; revoke it first, or choose another name")
    token_id, secret = tokens.new()
    grant = Grant(
        token_id,
        request.name,
        tokens.digest(secret),
        read=request.rights.read,
        admin=request.rights.admin,
        write=frozenset(request.rights.write),
        created_ms=now_ns // _MS,
        created_by=CALLER.get().name,
        ends=request.ends_unix_ns // _SECOND or NEVER,
    )
    save(client, _row(grant))
    book.read_store()
    return query_pb2.CreateTokenResponse(token=_message(grant), secret=secret, enforced=not book.open)


def list_tokens(book: TokenBook, request: query_pb2.ListTokensRequest, now_ns: int) -> query_pb2.ListTokensResponse:
    """Tokens in the order in which they were made."""
    book.read_store()
    found = [grant for grant in book.grants() if request.ended or not _has_ended(grant, now_ns)]
    return query_pb2.ListTokensResponse(tokens=map(_message, found))


def revoke_token(
    client: Client, book: TokenBook, request: query_pb2.RevokeTokenRequest, now_ns: int
) -> query_pb2.RevokeTokenResponse:
    """End a token that is named by its id, or by its name where one valid token has it."""
    book.read_store()
    valid = [grant for grant in book.grants() if not _has_ended(grant, now_ns)]
    named = [grant for grant in valid if request.token in {grant.token_id, grant.name}]
    if len(named) > 1:
        ids = ", ".join(grant.token_id for grant in named)
        raise UsageError(f"{len(named)} tokens are called {request.token!r}; give the id of one: {ids}")
    if not named:
        known = ", ".join(grant.name for grant in valid) or "none"
        raise NotFoundError(f"no valid token is called {request.token!r}; valid are: {known}")
    revoked = replace(named[0], revoked_by=CALLER.get().name, ends=min(named[0].ends, now_ns // _SECOND))
    save(client, _row(revoked))
    return query_pb2.RevokeTokenResponse(token=_message(revoked))


def list_audit(client: Client, request: query_pb2.ListAuditRequest) -> query_pb2.ListAuditResponse:
    """The newest calls of the admin service."""
    limit = min(request.limit or _AUDIT, _MOST_AUDIT)
    return query_pb2.ListAuditResponse(
        entries=[
            query_pb2.AuditEntry(
                unix_ns=row.called_ms * _MS,
                token_id=row.token_id,
                token_name=row.token_name,
                peer=row.peer,
                method=row.method,
                request=row.request,
                outcome=row.outcome,
            )
            for row in audit(client, request.since_unix_ns // _MS, limit)
        ]
    )


def _check(request: query_pb2.CreateTokenRequest, now_ns: int) -> None:
    rights = request.rights
    if not 1 <= len(request.name) <= _NAME or not request.name.isprintable() or request.name != request.name.strip():
        raise UsageError(f"name {request.name!r}: expected 1 to {_NAME} printable characters")
    if not (rights.read or rights.admin or rights.write):
        raise UsageError("a token that may do nothing: give it read, admin, or services to write for")
    if len(rights.write) > _WRITES or any(not 1 <= len(name) <= 4096 for name in rights.write):
        raise UsageError(f"write: expected at most {_WRITES} names of services, or * for all")
    if request.ends_unix_ns and not now_ns < request.ends_unix_ns < NEVER * _SECOND:
        raise UsageError("the end of a token lies in the future, before the year 2100; 0: it does not end by itself")


def _has_ended(grant: Grant, now_ns: int) -> bool:
    return bool(grant.revoked_by) or grant.ends <= now_ns // _SECOND


def _row(grant: Grant) -> TokenRow:
    return TokenRow(
        grant.token_id,
        grant.name,
        grant.digest,
        int(grant.read),
        int(grant.admin),
        sorted(grant.write),
        grant.created_ms,
        grant.created_by,
        grant.ends,
        grant.revoked_by,
    )


def _message(grant: Grant) -> query_pb2.Token:
    return query_pb2.Token(
        token_id=grant.token_id,
        name=grant.name,
        rights=query_pb2.TokenRights(read=grant.read, admin=grant.admin, write=sorted(grant.write)),
        created_unix_ns=grant.created_ms * _MS,
        created_by=grant.created_by,
        ends_unix_ns=0 if grant.ends >= NEVER else grant.ends * _SECOND,
        revoked_by=grant.revoked_by,
    )
