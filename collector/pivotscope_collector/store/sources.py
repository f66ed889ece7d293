"""Where each part of a range is current: in which level of the roll-ups, or in raw rows alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Template

from pivotscope_collector.store.client import Blocks, Client, Columns, statement
from pivotscope_collector.store.native import numbers
from pivotscope_collector.store.selection import DAY, HOUR, MINUTE, Selection
from pivotscope_collector.store.stretch import Stretch, joined

_LONG = 6 * HOUR
"""Ranges from here on are read from hours and days, too; so are those that begin before minutes are kept."""


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

    def bound(self) -> dict[str, int]:
        """As the parameters of statements that ask for what is beyond it."""
        return {"covered_us": self.covered_us, "open_from": self.open_from}


def minutes_rolled(client: Client) -> Progress:
    """How far minutes have been rolled up, as the store says now. Raises StoreError."""
    return progress_of(client.renewed("progress")).get("minute", Progress())


def locate(client: Client, selection: Selection, step_seconds: int = 0) -> Sources:
    """Find where each part of the range is current. Raises StoreError."""
    progress = progress_of(client.renewed("progress"))
    minutes = dirty(client, late(client, selection, progress.get("minute", Progress())))
    lacking = behind(client, selection, progress, minutes, step_seconds)
    reach = levels(selection, step_seconds)
    return sources_of([Stretch(selection.since, selection.until)], progress, lacking, reach)


def progress_of(columns: Columns) -> dict[str, Progress]:
    """How far each level is, from `sql/progress.sql`."""
    told = zip(columns["level"], columns["received_us"], columns["open_from"], strict=True)
    return {level: Progress(covered, open_from) for level, covered, open_from in told}


def late(client: Client, selection: Selection, beyond: Progress) -> dict[int, int]:
    """Minutes of the range with windows that came beyond this progress, or that it left open; when their last came."""
    found = _came(client, "dirty_minutes", selection, beyond)
    columns = [numbers(found[name]).tolist() for name in ("minute_s", "received_us")] if found else [(), ()]
    return dict(zip(*columns, strict=True))


def is_late(client: Client, selection: Selection, beyond: Progress) -> bool:
    """Whether there is any such minute."""
    return bool(_came(client, "late_minute", selection, beyond))


def _came(client: Client, name: str, selection: Selection, beyond: Progress) -> Blocks:
    """`sql/<name>.sql` on windows that came beyond this progress, or in minutes that it left open."""
    after = ["received_at > fromUnixTimestamp64Micro({covered_us:Int64}, 'UTC')"]
    left_open = ["minute >= {open_from:UInt32}"] if selection.until > beyond.open_from else []
    # Each by an index of its own, which one condition on both has not.
    came = " UNION ALL ".join(
        f"SELECT minute, received_at FROM windows PREWHERE {one} AND {selection.raw}"  # noqa: S608 - no outside text
        for one in after + left_open
    )
    sql = Template(statement(name)).substitute(came=f"({came})")
    return client.blocks(sql, {**selection.bound(), **beyond.bound()})


def dirty(client: Client, came: Mapping[int, int]) -> tuple[int, ...]:
    """Those minutes whose last window, which came by then, no roll-up has seen."""
    if not came:
        return ()
    rolled = client.query("rolled_until", {"minutes": list(came)})
    until = dict(zip(rolled["minute"], rolled["received_us"], strict=True))
    return tuple(minute for minute, last in came.items() if last > until.get(minute, 0))


def behind(
    client: Client, selection: Selection, progress: Mapping[str, Progress], minutes: tuple[int, ...], step_seconds: int
) -> Sources:
    """What the levels do not have yet: these dirty minutes, and days and hours by the hours that they lack."""
    if not levels(selection, step_seconds):
        return Sources(dirty=minutes)
    hour, day = (progress.get(level, Progress()) for level in ("hour", "day"))
    bound = {
        "since": selection.since,
        "until": selection.until,
        "hour_covered": hour.covered_us,
        "hour_open": hour.open_from,
        "day_covered": day.covered_us,
        "day_open": day.open_from,
    }
    found = client.blocks(statement("stale_hours"), bound)
    starts, days, hours = (numbers(found[name]) if found else () for name in ("hour", "day_behind", "hour_behind"))
    stale = [tuple(int(at) for at, is_behind in zip(starts, one, strict=True) if is_behind) for one in (days, hours)]
    return Sources(stale[0], stale[1], minutes)


def levels(selection: Selection, step_seconds: int) -> tuple[int, ...]:
    """Sizes in seconds of the buckets above the minute that can have a part in a range, the largest first."""
    if selection.resolution == MINUTE and selection.until - selection.since < _LONG:
        return ()
    return tuple(size for size in (DAY, HOUR) if step_seconds % size == 0)


def sources_of(
    parts: Sequence[Stretch], progress: Mapping[str, Progress], lacking: Sources, sizes: Sequence[int]
) -> Sources:
    """Where these parts of a range, in order, are current, given its `levels` and what those lack (see `behind`)."""
    days: list[int] = []
    hours: list[int] = []
    minutes: list[tuple[int, int]] = []
    for part in parts:
        own_days = _whole(part, DAY, progress, (*lacking.dirty, *lacking.days)) if DAY in sizes else []
        whole = _whole(part, HOUR, progress, (*lacking.dirty, *lacking.hours)) if HOUR in sizes else []
        own_hours = [hour for hour in whole if hour // DAY * DAY not in own_days]
        days += own_days
        hours += own_hours
        for start, end in left_of(part.start, part.end, own_days, own_hours):
            before = minutes.pop()[0] if minutes and minutes[-1][1] == start else start
            minutes.append((before, end))
    read = joined(parts)
    unseen = tuple(minute for minute in lacking.dirty if any(minute in part for part in read))
    return Sources(tuple(days), tuple(hours), unseen, tuple(minutes))


def _whole(part: Stretch, size: int, progress: Mapping[str, Progress], lacking: tuple[int, ...]) -> list[int]:
    """Starts of the whole buckets of `size` seconds that are closed and hold no moment of `lacking`."""
    level = progress.get("day" if size == DAY else "hour", Progress())
    skip = {moment // size * size for moment in lacking}
    last = min(part.end, level.open_from) - size
    return [start for start in range(-(-part.start // size) * size, last + 1, size) if start not in skip]
