"""A verdict in words."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pivotscope_collector.estimates.share import MINIMUM_CLUSTERS, Interval
from pivotscope_collector.trends.fit import Kind
from pivotscope_collector.trends.series import DAY, HOUR, WEEK
from pivotscope_collector.trends.trend import LEAST_POINTS, Change, State, Trend


@dataclass(frozen=True, slots=True)
class Unit:
    """How values of a series are said: times `factor`, with `level` after a level and `change` after a difference."""

    factor: float
    level: str
    change: str


SHARE = Unit(100.0, "% of the service's CPU", "points")
PER_REQUEST = Unit(1000.0, "ms of CPU a request", "ms")


def words(trend: Trend, unit: Unit, span: int) -> str:
    """One sentence; times are UTC. `span` is the range's length in seconds: it picks the unit of time of a slope."""
    if trend.state is State.TOO_LITTLE:
        return _too_little(trend)
    level = trend.level or Interval(0.0, 0.0, 0.0)
    new = ""
    if trend.appeared:
        new = f"new since {_version(trend.appeared_with)}{moment(trend.appeared)}"
    if trend.state is State.NEW:
        return f"{new}: {_level(level, unit)}"
    if trend.state is State.STEADY:
        return f"steady at {_level(level, unit)}{_detectable(trend, unit)}"
    change = _told(trend)
    direction = {State.HIGHER: "higher", State.LOWER: "lower"}.get(trend.state, trend.state.value)
    where = f"since {_version(trend.version)}{moment(trend.since)}" if trend.since else "throughout this range"
    between = f" (between {moment(change.earliest)} and {moment(change.latest)})" if trend.since else ""
    text = f"{direction} {where}{between}: {_from_to(change, unit)}"
    if trend.state in {State.RISING, State.FALLING} and trend.slope is not None:
        text += f", {slope_words(trend.slope, unit, span)}"
    else:
        text += ", in one step"
    return f"{new}; {text}" if new else text


def moment(at: int) -> str:
    """2026-11-02 14:00 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def slope_words(slope: Interval, unit: Unit, span: int) -> str:
    """+0.4 points a week (0.2 to 0.6)."""
    seconds, name = slope_unit(span)
    factor = unit.factor * seconds
    ends = sorted((slope.low * factor, slope.high * factor))
    return f"{_signed(slope.estimate * factor)} {unit.change} {name} ({_signed(ends[0])} to {_signed(ends[1])})"


def slope_unit(span: int) -> tuple[int, str]:
    """Seconds and name of the unit of time that suits a range."""
    if span > 3 * DAY:
        return WEEK, "a week"
    return (DAY, "a day") if span > 6 * HOUR else (HOUR, "an hour")


def _too_little(trend: Trend) -> str:
    if trend.windows < MINIMUM_CLUSTERS:
        return f"too little data: {_count(trend.windows, 'window')} of {MINIMUM_CLUSTERS} needed"
    return f"too little data: {_count(trend.points, 'step')} with windows of {LEAST_POINTS} needed"


def _told(trend: Trend) -> Change:
    """The change that the verdict is about."""
    kind = Kind.SLOPE if trend.state in {State.RISING, State.FALLING} else Kind.STEP
    return [change for change in trend.changes if change.kind is kind][-1]


def _from_to(change: Change, unit: Unit) -> str:
    before, after = (_number(level.estimate * unit.factor) for level in (change.before, change.after))
    sign = " %" if unit.level.startswith("%") else ""
    return f"{before}{sign} → {after} {unit.level}"


def _level(level: Interval, unit: Unit) -> str:
    low, high = (_number(value * unit.factor) for value in (level.low, level.high))
    return f"{_number(level.estimate * unit.factor)} {unit.level} ({low} to {high})"


def _detectable(trend: Trend, unit: Unit) -> str:
    size = trend.detectable
    if size is None or not 0.0 < size < 1e9:
        return ""
    return f"; a lasting change of {_number(size * unit.factor)} {unit.change} would have shown"


def _version(version: str) -> str:
    return f"version {version}, " if version else ""


def _number(value: float) -> str:
    """Two decimals below 1, one below 100."""
    size = abs(value)
    return f"{value:.2f}" if size < 1.0 else f"{value:.1f}" if size < 100.0 else f"{value:.0f}"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0.0 else '−'}{_number(abs(value))}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
