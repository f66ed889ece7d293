"""Where each part of a range is current: in which level of the roll-ups, or in raw rows alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template

from pivotscope_collector.store.client import Blocks, Client, Columns, statement
from pivotscope_collector.store.native import numbers
from pivotscope_collector.store.selection import DAY, HOUR, Selection

_LONG = 6 * HOUR
"""Ranges from here on are read from hours and days, too."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a range is to be read from, in unix seconds: whole days and hours, dirty minutes from raw, else minutes.

    `minutes` are the stretches that days and hours leave, from a start to before an end, dirty minutes included.
    """

    days: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    dirty: tuple[int, ...] = ()
    minutes: tuple[tuple[int, int], ...] = ()


def left_of(since: int, until: int, days: Iterable[int], hours: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """The stretches of a range that are in none of these days and hours."""
    taken = sorted([*((day, day + DAY) for day in days), *((hour, hour + HOUR) for hour in hours)])
    starts = [since, *(end for _, end in taken)]
    ends = [*(start for start, _ in taken), until]
    return tuple((start, end) for start, end in zip(starts, ends, strict=True) if start < end)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a level has been rolled up: what was received by then (unix µs), in minutes before `open_from`."""

    covered_us: int = 0
    open_from: int = 0


def locate(client: Client, selection: Selection, step_seconds: int = 0) -> Sources:
    """Find where each part of the range is current. Raises StoreError."""
    progress = progress_of(client.renewed("progress"))
    dirty = _dirty(client, selection, progress)
    behind = Sources(dirty=dirty)
    if _levels(selection, step_seconds):
        stale = _stale(client, selection, progress)
        behind = Sources(stale["day"], stale["hour"], dirty)
    return _sources(selection, step_seconds, progress, behind)


@dataclass(frozen=True, slots=True)
class Likely:
    """Where a range that is over is current, as long as nothing came late for it since `progress` was written."""

    selection: Selection
    step_seconds: int
    progress: Mapping[str, Progress]

    @property
    def sources(self) -> Sources:
        """What `locate` says then."""
        return _sources(self.selection, self.step_seconds, self.progress, Sources())

    def holds(self, client: Client) -> bool:
        """Whether nothing came late: what was read since this was made has then everything received before that."""
        if _asked_late(client, "late_minute", self.selection, self.progress["minute"]):
            return False
        long = _levels(self.selection, self.step_seconds)
        return not (long and any(_stale(client, self.selection, self.progress).values()))


def likely(client: Client, selection: Selection, step_seconds: int = 0) -> Likely | None:
    """What `locate` will say, as far as is known without a look; None where a part of the range is open."""
    progress = progress_of(client.standing("progress"))
    over = "minute" in progress and selection.until <= progress["minute"].open_from
    return Likely(selection, step_seconds, progress) if over else None


def _levels(selection: Selection, step_seconds: int) -> bool:
    """Whether levels above the minute can have a part in it."""
    return selection.until - selection.since >= _LONG and step_seconds % HOUR == 0


def progress_of(columns: Columns) -> dict[str, Progress]:
    """How far each level is, from `sql/progress.sql`."""
    told = zip(columns["level"], columns["received_us"], columns["open_from"], strict=True)
    return {level: Progress(covered, open_from) for level, covered, open_from in told}


def _sources(selection: Selection, step_seconds: int, progress: Mapping[str, Progress], behind: Sources) -> Sources:
    """Sources of a range, where those minutes are dirty, and those hours are not current in hours and in days."""
    days: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    if _levels(selection, step_seconds):
        if step_seconds % DAY == 0:
            days = _whole(selection, DAY, progress, (*behind.dirty, *behind.days))
        inside = set(days)
        whole = _whole(selection, HOUR, progress, (*behind.dirty, *behind.hours))
        hours = tuple(hour for hour in whole if hour // DAY * DAY not in inside)
    return Sources(days, hours, behind.dirty, left_of(selection.since, selection.until, days, hours))


def _whole(
    selection: Selection, size: int, progress: Mapping[str, Progress], behind: tuple[int, ...]
) -> tuple[int, ...]:
    """Starts of the whole buckets of `size` seconds in the range that are closed and hold no moment of `behind`."""
    level = progress.get("day" if size == DAY else "hour", Progress())
    skip = {moment // size * size for moment in behind}
    first = -(-selection.since // size) * size
    last = min(selection.until, level.open_from) - size
    return tuple(start for start in range(first, last + 1, size) if start not in skip)


def _dirty(client: Client, selection: Selection, progress: Mapping[str, Progress]) -> tuple[int, ...]:
    """Minutes with windows that no roll-up has seen; the roll-up's progress tells most of them apart without a look."""
    seen = _late(client, selection, progress.get("minute", Progress()))
    if not seen:
        return ()
    rolled = client.query("rolled_until", {"minutes": list(seen)})
    until = dict(zip(rolled["minute"], rolled["received_us"], strict=True))
    return tuple(minute for minute, last in seen.items() if last > until.get(minute, 0))


def _late(client: Client, selection: Selection, progress: Progress) -> dict[int, int]:
    """Minutes with windows that came after what the level of minutes covers, or that are open; when their last came."""
    found = _asked_late(client, "dirty_minutes", selection, progress)
    columns = [numbers(found[name]).tolist() for name in ("minute_s", "received_us")] if found else [(), ()]
    return dict(zip(*columns, strict=True))


def _asked_late(client: Client, name: str, selection: Selection, progress: Progress) -> Blocks:
    """`sql/<name>.sql` on windows that came after what the level of minutes covers, or of minutes that are open."""
    late = "received_at > fromUnixTimestamp64Micro({covered_us:Int64}, 'UTC')"
    beyond = f"({late} OR minute >= {{open_from:UInt32}})" if selection.until > progress.open_from else late
    sql = Template(statement(name)).substitute(beyond=beyond, selected=selection.raw)
    bound = {**selection.bound(), "covered_us": progress.covered_us, "open_from": progress.open_from}
    return client.blocks(sql, bound)


def _stale(client: Client, selection: Selection, progress: Mapping[str, Progress]) -> dict[str, tuple[int, ...]]:
    """Hours that are over for hours or for days, with a minute that was rolled up since they were."""
    hour, day = (progress.get(level, Progress()) for level in ("hour", "day"))
    found = client.query(
        "stale_hours",
        {
            "since": selection.since,
            "until": selection.until,
            "hour_covered": hour.covered_us,
            "hour_open": hour.open_from,
            "day_covered": day.covered_us,
            "day_open": day.open_from,
        },
    )
    return {
        level: tuple(at for at, behind in zip(found["hour"], found[f"{level}_behind"], strict=True) if behind)
        for level in ("hour", "day")
    }
