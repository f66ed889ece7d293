"""Tokens as collectors see them; two books over one store stand for two collectors."""

import asyncio
import dataclasses
import threading
from collections.abc import Callable

import pytest
from pivotscope.v1 import query_pb2
from pivotscope_collector.api.tokens import create_token, list_tokens, revoke_token
from pivotscope_collector.errors import NotFoundError, StoreError, UsageError
from pivotscope_collector.security import book as book_module
from pivotscope_collector.security.book import RefusedError, TokenBook
from pivotscope_collector.security.grant import CALLER, Grant
from pivotscope_collector.store import tokens as stored
from pivotscope_collector.store.client import Client

pytestmark = pytest.mark.engine

NOW_NS = 1_795_000_000 * 10**9


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS

    def unix_ns(self) -> int:
        return self.now_ns

    def monotonic(self) -> float:
        return self.now_ns / 1e9


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def books(store: Client, time: Time) -> Callable[..., TokenBook]:
    def make(first: str = "first") -> TokenBook:
        book = TokenBook(store, time, lambda: first)
        book.refresh()
        return book

    return make


def request(name: str = "agents", ends_ns: int = 0, **rights: object) -> query_pb2.CreateTokenRequest:
    given = query_pb2.TokenRights(**(rights or {"write": ["shop"]}))  # type: ignore[arg-type]
    return query_pb2.CreateTokenRequest(name=name, rights=given, ends_unix_ns=ends_ns)


def reason(book: TokenBook, token: str) -> str:
    with pytest.raises(RefusedError) as caught:
        book.judge(token)
    return str(caught.value)


async def test_what_one_collector_makes_and_ends_the_other_sees(store: Client, books: Callable[..., TokenBook]) -> None:
    one, other = books(), books()
    made = create_token(store, one, request(), NOW_NS)
    assert made.enforced
    grant = one.judge(made.secret)
    assert (grant.name, grant.rights, grant.read, grant.admin) == ("agents", "write shop", False, False)
    assert grant.may_write("shop")
    assert not grant.may_write("reports")
    await other.look()
    assert other.judge(made.secret) == grant

    told: list[str] = []
    with other.watched(grant, told.append):
        await other.look()
        assert told == []
        revoke_token(store, one, query_pb2.RevokeTokenRequest(token="agents"), NOW_NS)
        await other.look()
    assert "was revoked" in told[0]
    assert "was revoked" in reason(other, made.secret)
    await other.look()
    assert len(told) == 1


def test_only_a_digest_is_kept(store: Client, books: Callable[..., TokenBook]) -> None:
    made = create_token(store, books(), request(), NOW_NS)
    rows = store.run("SELECT toString(tuple(*)) AS row FROM tokens")["row"]
    assert len(rows) == 1
    assert made.secret not in rows[0]
    assert made.secret.rpartition("_")[2] not in rows[0]


def test_wrong_tokens_are_refused(store: Client, books: Callable[..., TokenBook]) -> None:
    book = books()
    made = create_token(store, book, request(), NOW_NS)
    assert book.judge("first").admin
    for token in ("", "second", made.secret[:-1], made.secret + "x", f"pvs_{made.token.token_id}_x", "pvs__"):
        assert "wrong token" in reason(book, token)


def test_a_token_ends_when_it_says(store: Client, books: Callable[..., TokenBook], time: Time) -> None:
    book = books()
    made = create_token(store, book, request(ends_ns=NOW_NS + 60 * 10**9), NOW_NS)
    grant = book.judge(made.secret)
    time.now_ns += 60 * 10**9
    assert "ended at 2026-11-18 11:07 UTC" in reason(book, made.secret)
    assert "ended at" in book.problem(grant)
    assert not list_tokens(book, query_pb2.ListTokensRequest(), time.now_ns).tokens
    assert len(list_tokens(book, query_pb2.ListTokensRequest(ended=True), time.now_ns).tokens) == 1


def test_a_replaced_token_file_ends_what_was_open_with_it(store: Client, time: Time) -> None:
    first = "one"
    book = TokenBook(store, time, lambda: first)
    book.refresh()
    grant = book.judge("one")
    first = "two"
    book.refresh()
    assert book.judge("two").admin
    assert "wrong token" in reason(book, "one")
    assert "replaced" in book.problem(grant)


async def test_a_store_that_is_away_leaves_what_is_known(
    store: Client, books: Callable[..., TokenBook], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = books()
    made = create_token(store, book, request(), NOW_NS)

    def away(*_: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "writes", lambda _table: None)
        patched.setattr(store, "query", away)
        await book.look()
    assert book.judge(made.secret).name == "agents"


@pytest.fixture
def without_file(store: Client, time: Time) -> TokenBook:
    """A collector whose token file has become unreadable after its start."""
    readable = True

    def read() -> str:
        if readable:
            return "first"
        raise UsageError("token_file=/t: Permission denied")

    book = TokenBook(store, time, read)
    book.refresh()
    readable = False
    return book


async def test_a_revocation_is_seen_while_the_token_file_cannot_be_read(
    store: Client, books: Callable[..., TokenBook], without_file: TokenBook
) -> None:
    other = books()
    made = create_token(store, other, request(), NOW_NS)
    await without_file.look()
    told: list[str] = []
    with without_file.watched(without_file.judge(made.secret), told.append):
        revoke_token(store, other, query_pb2.RevokeTokenRequest(token="agents"), NOW_NS)
        with pytest.raises(UsageError, match="token_file"):
            without_file.refresh()
        await without_file.look()
    assert "was revoked" in told[0]
    assert "was revoked" in reason(without_file, made.secret)
    assert without_file.judge("first").admin


def test_tokens_are_made_and_revoked_while_the_token_file_cannot_be_read(
    store: Client, without_file: TokenBook
) -> None:
    made = create_token(store, without_file, request(), NOW_NS)
    assert without_file.judge(made.secret).name == "agents"
    revoke_token(store, without_file, query_pb2.RevokeTokenRequest(token="agents"), NOW_NS)
    assert not list_tokens(without_file, query_pb2.ListTokensRequest(), NOW_NS).tokens
    assert "was revoked" in reason(without_file, made.secret)


class Turns:
    """A lock that says when somebody has to wait for it."""

    def __init__(self, waited: threading.Event) -> None:
        self._lock = threading.Lock()
        self._waited = waited

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._waited.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_what_was_read_before_a_revocation_is_not_put_over_what_was_read_after_it(
    store: Client, books: Callable[..., TokenBook], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread has read, and has not yet kept it, when another revokes and reads."""
    book, waits_or_is_done = books(), threading.Event()
    made = create_token(store, book, request(), NOW_NS)
    monkeypatch.setattr(book, "_reading", Turns(waits_or_is_done), raising=False)
    read = stored.tokens

    def revoke() -> None:
        book.refresh()
        waits_or_is_done.set()

    revoking = threading.Thread(target=revoke)

    def interrupted(client: Client) -> list[stored.TokenRow]:
        monkeypatch.setattr(stored, "tokens", read)
        found = read(client)
        (row,) = found
        stored.save(client, dataclasses.replace(row, revoked_by="boss"))
        revoking.start()
        waits_or_is_done.wait(20)
        return found

    monkeypatch.setattr(stored, "tokens", interrupted)
    monkeypatch.setattr(book, "_read_at", None)
    book.refresh()
    revoking.join()
    assert "was revoked" in reason(book, made.secret)


async def test_a_failure_that_nobody_foresaw_does_not_end_the_looks(
    store: Client, books: Callable[..., TokenBook], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = books()
    made = create_token(store, book, request(ends_ns=NOW_NS + 10**9), NOW_NS)
    monkeypatch.setattr(book_module, "LOOK_SECONDS", 0.0)
    looks, ended = 0, asyncio.get_running_loop().create_future()

    def fail(_table: str) -> int:
        nonlocal looks
        looks += 1
        if looks == 2:
            time.now_ns += 10**9
        raise IndexError("an answer that makes no sense")

    def end(problem: str) -> None:
        if not ended.done():
            ended.set_result(problem)

    with book.watched(book.judge(made.secret), end):
        monkeypatch.setattr(store, "writes", fail)
        book.start()
        assert "ended at" in await asyncio.wait_for(ended, 20)
    await book.close()


async def test_a_store_of_its_own_is_read_after_writes_alone(
    store: Client, books: Callable[..., TokenBook], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token's end needs no look at the store."""
    book = books()
    made = create_token(store, book, request(ends_ns=NOW_NS + 10**9), NOW_NS)
    told: list[str] = []
    asked: list[object] = []
    with monkeypatch.context() as patched, book.watched(book.judge(made.secret), told.append):
        patched.setattr(store, "query", lambda name, *_: asked.append(name))
        time.now_ns += 10**9
        await book.look()
    assert "ended at" in told[0]
    assert asked == []


def test_names_are_unique_while_valid(store: Client, books: Callable[..., TokenBook]) -> None:
    book = books()
    caller = CALLER.set(Grant("x", "boss"))
    made = create_token(store, book, request(), NOW_NS)
    CALLER.reset(caller)
    assert made.token.created_by == "boss"
    with pytest.raises(UsageError, match="a valid token 'agents' already"):
        create_token(store, book, request(), NOW_NS)
    revoke_token(store, book, query_pb2.RevokeTokenRequest(token=made.token.token_id), NOW_NS)
    again = create_token(store, book, request(), NOW_NS)
    book.refresh()
    assert again.token.token_id != made.token.token_id
    with pytest.raises(NotFoundError, match="valid are: agents"):
        revoke_token(store, book, query_pb2.RevokeTokenRequest(token="nobody"), NOW_NS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (query_pb2.CreateTokenRequest(name="x"), "may do nothing"),
        (request(name=""), "name ''"),
        (request(name="a\nb"), "printable"),
        (request(ends_ns=NOW_NS - 1), "in the future"),
        (request(write=[""]), "names of services"),
    ],
)
def test_what_makes_no_sense_is_refused(
    store: Client, books: Callable[..., TokenBook], given: query_pb2.CreateTokenRequest, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        create_token(store, books(), given, NOW_NS)
