"""Which pages are read, and what their series mean: the agent's `[metrics]` table. Pure.

[metrics]
interval_seconds = 5

[[metrics.endpoint]]
service = "shop"                              # whose processes; "" or absent: every service
url = "http://127.0.0.1:{port}/metrics"       # placeholders: {port}, {pid}, {host}, {instance}
port = 8000
variant_label = "variant"                     # this label becomes the series' variant
version_label = "version"
aggregated = false                            # true: the page sums up all workers, so do not probe it

[[metrics.endpoint.series]]
name = "shop_request_seconds"                 # as exposed; a counter with or without _total
role = "latency"
unit = "seconds"
labels = ["endpoint"]                         # kept; all others are summed over
match = { status = "5.." }                    # regular expressions that whole label values must match
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from pivotscope.profile.metric import MetricRole

from pivotscope_agent.errors import SettingsError

PLACEHOLDERS = frozenset({"port", "pid", "host", "instance"})
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """One metric of a page and what it means. `match` holds compiled patterns, sorted by label."""

    name: str
    role: MetricRole
    unit: str = ""
    labels: tuple[str, ...] = ()
    match: tuple[tuple[str, re.Pattern[str]], ...] = ()

    @property
    def selector(self) -> str:
        """Name of the resulting series: rules that take different parts of one metric give different series."""
        parts = ",".join(f'{label}=~"{pattern.pattern}"' for label, pattern in self.match)
        return f"{self.name}{{{parts}}}" if parts else self.name

    @property
    def family(self) -> str:
        """Name of the metric family: a counter's without `_total`."""
        return self.name.removesuffix("_total")


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """A page of the processes of one service (empty: of all), and the series wanted from it."""

    url: str
    series: tuple[SeriesRule, ...]
    service: str = ""
    port: int = 0
    variant_label: str = ""
    version_label: str = ""
    aggregated: bool = False


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Everything that is read from applications, how often, and within which bounds."""

    endpoints: tuple[EndpointRule, ...] = ()
    interval_seconds: float = 5.0
    timeout_seconds: float = 2.0
    max_bytes: int = 4 * 1024 * 1024


def from_table(table: Mapping[str, object]) -> MetricsSettings:
    """Settings of the `[metrics]` table. Raises SettingsError that names key, value and expected form."""
    reader = _Table(table, "metrics")
    settings = MetricsSettings(
        endpoints=tuple(_endpoint(one) for one in reader.tables("endpoint")),
        interval_seconds=reader.number("interval_seconds", 5.0, low=1.0, high=3600.0),
        timeout_seconds=reader.number("timeout_seconds", 2.0, low=0.1, high=60.0),
        max_bytes=int(reader.number("max_bytes", 4 * 1024 * 1024, low=1024, high=64 * 1024 * 1024)),
    )
    reader.finish()
    return settings


def _endpoint(reader: "_Table") -> EndpointRule:
    port = int(reader.number("port", 0, low=0, high=65535))
    rule = EndpointRule(
        url=_url(reader, port),
        series=tuple(_series(one) for one in reader.tables("series")),
        service=reader.text("service", ""),
        port=port,
        variant_label=reader.text("variant_label", "", form=_LABEL, expected="a label name"),
        version_label=reader.text("version_label", "", form=_LABEL, expected="a label name"),
        aggregated=reader.flag("aggregated"),
    )
    if not rule.series:
        raise reader.error("series", [], "at least one [[metrics.endpoint.series]] table")
    selectors = [one.selector for one in rule.series]
    for selector in selectors:
        if selectors.count(selector) > 1:
            raise reader.error("series", selector, "each name, with its match, once")
    reader.finish()
    return rule


def _url(reader: "_Table", port: int) -> str:
    url = reader.text("url", "http://127.0.0.1:{port}/metrics")
    expected = "http://host:port/path or https://…, with placeholders only of " + ", ".join(
        f"{{{name}}}" for name in sorted(PLACEHOLDERS)
    )
    try:
        used = {name for _, name, _, _ in Formatter().parse(url) if name is not None}
    except ValueError as error:
        raise reader.error("url", url, expected) from error
    if not url.startswith(("http://", "https://")) or not used <= PLACEHOLDERS:
        raise reader.error("url", url, expected)
    if "port" in used and not port:
        raise reader.error("port", port, "a port from 1 to 65535, because url contains {port}")
    return url


def _series(reader: "_Table") -> SeriesRule:
    roles = {role.value: role for role in MetricRole if not role.value.startswith("network")}
    role = reader.text("role", "")
    if role not in roles:
        raise reader.error("role", role, "one of " + ", ".join(sorted(roles)))
    rule = SeriesRule(
        name=reader.text("name", None, form=_NAME, expected="a metric name"),
        role=roles[role],
        unit=reader.text("unit", ""),
        labels=tuple(sorted(set(reader.texts("labels")))),
        match=tuple(sorted(reader.patterns("match"), key=lambda pair: pair[0])),
    )
    reader.finish()
    return rule


class _Table:
    """Typed reads from a table; every error carries the key's full name."""

    def __init__(self, table: Mapping[str, object], name: str) -> None:
        self._left = dict(table)
        self._name = name

    def error(self, key: str, value: object, expected: str) -> SettingsError:
        return SettingsError(f"{self._name}.{key} = {value!r}: expected {expected}")

    def text(self, key: str, default: str | None, *, form: re.Pattern[str] | None = None, expected: str = "") -> str:
        value = self._left.pop(key, default)
        if not isinstance(value, str):
            raise self.error(key, value, expected or "a string")
        if form is not None and value != default and not form.fullmatch(value):
            raise self.error(key, value, expected)
        return value

    def texts(self, key: str) -> list[str]:
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and _LABEL.fullmatch(one) for one in value):
            raise self.error(key, value, "a list of label names")
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        value = self._left.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.error(key, value, f"a number from {low:g} to {high:g}")
        return value

    def flag(self, key: str) -> bool:
        value = self._left.pop(key, False)
        if not isinstance(value, bool):
            raise self.error(key, value, "true or false")
        return value

    def tables(self, key: str) -> list["_Table"]:
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise self.error(key, value, f"tables: [[{self._name}.{key}]]")
        return [_Table(one, f"{self._name}.{key}[{position}]") for position, one in enumerate(value)]

    def patterns(self, key: str) -> list[tuple[str, re.Pattern[str]]]:
        value = self._left.pop(key, {})
        if not isinstance(value, Mapping):
            raise self.error(key, value, "a table of label = regular expression")
        found = []
        for label, pattern in value.items():
            try:
                found.append((str(label), re.compile(pattern)))
            except (re.error, TypeError) as error:
                raise self.error(f"{key}.{label}", pattern, f"a regular expression ({error})") from error
        return found

    def finish(self) -> None:
        """Every key must have been read: a misspelt one would silently do nothing."""
        for key, value in self._left.items():
            raise SettingsError(f"{self._name}.{key} = {value!r}: no such setting")
