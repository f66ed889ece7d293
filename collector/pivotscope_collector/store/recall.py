"""What stretches of time hold: read once, and remembered for as long as nothing comes late for them.

That a roll-up covers what was received by some moment stays true, and all that can change what a stretch holds is a
window that came later. So what was read since may be told again after one look for such windows. Whether there are any
is asked of the store in each question: another collector may have taken them in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from pivotscope_collector.store.client import Blocks, Client
from pivotscope_collector.store.memory import Kept, Memory
from pivotscope_collector.store.reader import bind, render
from pivotscope_collector.store.selection import Selection
from pivotscope_collector.store.sources import (
    Progress,
    Sources,
    behind,
    dirty,
    is_late,
    late,
    levels,
    progress_of,
    sources_of,
)
from pivotscope_collector.store.stretch import Stretch, pieces, steps

Made = TypeVar("Made")
Make = Callable[[Sequence[Stretch], Sequence[Sequence[Any]]], Made]


class Sized(Protocol):
    """A value that knows about how many bytes it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """`sql/<name>.sql`, and what it binds besides the selection; functions are those of `function_ids`, or all.

    `apart` makes of an answer a value for each stretch, by its start; `nothing` stands for those that have none.
    """

    name: str
    apart: Callable[[Blocks], Mapping[int, Sized]]
    nothing: Sized
    function_ids: tuple[int, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Question:
    """Statements about a selection, in one or in steps; `sizes` are the levels that its range reaches."""

    selection: Selection
    asks: Sequence[Ask]
    step: int

    @property
    def sizes(self) -> tuple[int, ...]:
        return levels(self.selection, self.step)

    def over(self, closed: int) -> Stretch:
        """The part of the range before `closed`; it may be empty."""
        since, until = self.selection.since, self.selection.until
        return Stretch(since, max(since, min(until, closed)))

    def cut(self, closed: int, *, whole: bool) -> list[Stretch]:
        """The range in steps; or what is `over`, as a whole or in pieces that other ranges have, too, and the rest."""
        since, until = self.selection.since, self.selection.until
        if self.step:
            return list(steps(since, until, self.step))
        over = self.over(closed)
        parts = [over] if whole else pieces(over.start, over.end)
        return [part for part in (*parts, Stretch(over.end, until)) if part.start < part.end]

    def subject(self, day: int) -> tuple[object, ...]:
        """What each ask is about beside the range, for a day: rows past their time leave with days."""
        names = tuple(self.selection.names.items())
        rest = names, bool(self.sizes), day
        return tuple((ask.name, ask.function_ids, repr(ask.parameters), *rest) for ask in self.asks)


class Recall:
    """Answers statements stretch by stretch, of those that are over from memory. Safe to use from several threads."""

    def __init__(self, client: Client, capacity: int) -> None:
        self._client = client
        self._memory = Memory(capacity)

    def read(self, selection: Selection, *asks: Ask, make: Make[Made], step: int = 0) -> Made:
        """What is made of the stretches of a range and of the values of each ask, a value a stretch. Raises StoreError.

        With everything that was received before the question. A range that is over is read, and the answer made, while
        it is looked for what came late for it; once more where something did. So `make` has no other effect.
        """
        question = _Question(selection, asks, step)
        progress = progress_of(self._client.standing("progress"))
        if "minute" in progress and selection.until <= progress["minute"].open_from:
            for made in self._likely(question, progress, make):
                return made
        return self._surely(question, make)

    def _likely(self, question: _Question, progress: Mapping[str, Progress], make: Make[Made]) -> list[Made]:
        """What a range that is over holds; nothing where something came late for it."""
        client, selection = self._client, question.selection
        look = _Look(self._memory, question, progress)
        came = client.beside(partial(is_late, client, selection, look.beyond))
        missing = look.missing({})
        lacking = Sources()
        if any(missing):
            behind_it = client.beside(partial(behind, client, selection, progress, (), question.step))
            look.complete(self._fresh(question, missing, progress, lacking))
            lacking = behind_it.result()
        made = make(look.stretches, look.values)
        if came.result() or lacking != Sources():
            return []
        look.keep()
        return [made]

    def _surely(self, question: _Question, make: Make[Made]) -> Made:
        """What a range holds, open or over, whatever came for it."""
        client = self._client
        progress = progress_of(client.renewed("progress"))
        look = _Look(self._memory, question, progress)
        came = late(client, question.selection, look.beyond)
        unseen = dirty(client, came)
        missing = look.missing(came)
        if any(missing):
            lacking = behind(client, question.selection, progress, unseen, question.step)
            look.complete(self._fresh(question, missing, progress, lacking))
        look.keep(unseen)
        return make(look.stretches, look.values)

    def _fresh(
        self,
        question: _Question,
        missing: Sequence[Sequence[Stretch]],
        progress: Mapping[str, Progress],
        lacking: Sources,
    ) -> list[list[Sized]]:
        """Values of missing stretches of each ask, from the store, side by side."""
        works = [
            partial(self._ask, question, ask, parts, sources_of(parts, progress, lacking, question.sizes))
            for ask, parts in zip(question.asks, missing, strict=True)
        ]
        return self._client.together(*works)

    def _ask(self, question: _Question, ask: Ask, parts: Sequence[Stretch], sources: Sources) -> list[Sized]:
        if not parts:
            return []
        step, some = question.step, bool(ask.function_ids)
        sql = render(ask.name, question.selection, sources, some=some, parts=parts, stepped=bool(step))
        given = {"step": step, "function_ids": list(ask.function_ids), **ask.parameters}
        found = ask.apart(self._client.blocks(sql, bind(question.selection, sources, given)))
        starts = (one.start // step * step if step else one.start for one in parts)
        return [found.get(start, ask.nothing) for start in starts]


@dataclass(slots=True)
class _Cut:
    """Stretches of a range in order, those that are over first; under which keys they are kept, and what is: by ask."""

    stretches: Sequence[Stretch]
    keys: Sequence[Sequence[object]]
    kept: Sequence[Sequence[Kept | None]]

    @property
    def known(self) -> bool:
        """Whether anything of the first ask is; what questions share, pools, is small."""
        return any(one is not None for one in self.kept[0])


class _Look:
    """The stretches of a question, and what is kept of them."""

    def __init__(self, memory: Memory, question: _Question, progress: Mapping[str, Progress]) -> None:
        self._memory = memory
        self._question = question
        self._minute, day = (progress.get(level, Progress()) for level in ("minute", "day"))
        self._subject = question.subject(day.open_from)
        self._cut = self._chosen()

    @property
    def stretches(self) -> Sequence[Stretch]:
        """In order."""
        return self._cut.stretches

    def _chosen(self) -> _Cut:
        """What is over as a whole where that is known, or where nothing near was asked before.

        Pieces are for ranges that overlap with others, and cost more to read: a row each.
        """
        pieces = self._found(whole=False)
        if self._question.step:
            return pieces
        whole, over = self._found(whole=True), self._question.over(self._minute.open_from)
        (last,) = self._memory.find([self._subject[:1]])
        near = last is not None and last.value.start < over.end and over.start < last.value.end
        return pieces if not whole.known and (near or pieces.known) else whole

    def _found(self, *, whole: bool) -> _Cut:
        stretches = self._question.cut(self._minute.open_from, whole=whole)
        over = [one for one in stretches if one.end <= self._minute.open_from]
        keys = [[(what, one.start, one.end) for one in over] for what in self._subject]
        return _Cut(stretches, keys, [self._memory.find(row) + [None] * (len(stretches) - len(over)) for row in keys])

    @property
    def beyond(self) -> Progress:
        """What all that is kept, and what is read now, holds at least."""
        known = [kept.covered_us for row in self._cut.kept for kept in row if kept is not None]
        return Progress(min([self._minute.covered_us, *known]), self._minute.open_from)

    def missing(self, came: Mapping[int, int]) -> list[list[Stretch]]:
        """Stretches of which nothing is kept, of each ask; those that something `came` late for are forgotten."""
        self._cut.kept = [
            [
                None if kept is None or _hit(one, kept.covered_us, came) else kept
                for one, kept in zip(self.stretches, row, strict=True)
            ]
            for row in self._cut.kept
        ]
        return [[one for one, kept in zip(self.stretches, row, strict=True) if kept is None] for row in self._cut.kept]

    @property
    def values(self) -> list[list[Any]]:
        """A value of every stretch, once nothing is missing; a row of each ask."""
        return [[kept.value for kept in row if kept is not None] for row in self._cut.kept]

    def complete(self, fresh: Sequence[Sequence[Sized]]) -> None:
        """Fill in what was missing, in order."""
        filled = [(row, map(self._made, values)) for row, values in zip(self._cut.kept, fresh, strict=True)]
        self._cut.kept = [[kept or next(values) for kept in row] for row, values in filled]

    def keep(self, unseen: Sequence[int] = ()) -> None:
        """Keep what stretches hold that are over and have no minute that is unseen: nothing came that they lack."""
        for row, keys in zip(self._cut.kept, self._cut.keys, strict=True):
            known = zip(keys, self.stretches, row, strict=False)
            sure = ((key, kept) for key, one, kept in known if kept and not any(minute in one for minute in unseen))
            self._memory.keep((key, self._stamped(kept)) for key, kept in sure)
        # Questions that share the first ask, which is the largest, are near each other whatever else they ask.
        self._memory.keep([(self._subject[:1], Kept(self._question.over(self._minute.open_from), 0, 0))])

    def _made(self, value: Sized) -> Kept:
        return Kept(value, value.nbytes, self._minute.covered_us)

    def _stamped(self, kept: Kept) -> Kept:
        """As kept, by what is covered now."""
        covered = self._minute.covered_us
        return kept if kept.covered_us >= covered else replace(kept, covered_us=covered)


def _hit(stretch: Stretch, covered_us: int, came: Mapping[int, int]) -> bool:
    """Whether any of the windows that came, by their minutes, is in the stretch and not in what is kept of it."""
    return any(received > covered_us and minute in stretch for minute, received in came.items())
