"""A memory that forgets: by bytes, and what was not used for longest first."""

from pivotscope_collector.store.memory import Kept, Memory

LARGE = 10_000


def _kept(value: str) -> Kept:
    return Kept(value, LARGE, 0)


def test_what_was_used_last_stays() -> None:
    memory = Memory(int(2.5 * LARGE))
    memory.keep([("a", _kept("a")), ("b", _kept("b"))])
    assert memory.find(["a", "missing"]) == [_kept("a"), None]
    memory.keep([("c", _kept("c"))])
    assert memory.find(["a", "b", "c"]) == [_kept("a"), None, _kept("c")]
    assert memory.size <= 2.5 * LARGE


def test_what_is_replaced_counts_once() -> None:
    memory = Memory(10 * LARGE)
    for value in ("old", "new"):
        memory.keep([("a", _kept(value))])
    assert memory.find(["a"]) == [_kept("new")]
    assert LARGE < memory.size < 2 * LARGE


def test_a_memory_without_room_keeps_nothing() -> None:
    memory = Memory(0)
    memory.keep([("a", _kept("a"))])
    assert memory.find(["a"]) == [None]
    assert memory.size == 0
