"""The agent's settings: one file, the environment and the command line, read once and checked at the start.

The command line wins over PIVOTSCOPE_* variables, those over the file. Secrets come from files or the
environment only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pivotscope.transport.files import TlsFiles

from pivotscope_agent import log
from pivotscope_agent.errors import SettingsError
from pivotscope_agent.governing.plan import Budgets
from pivotscope_agent.merging import DEFAULT, Merged, merge
from pivotscope_agent.metrics.config import MetricsSettings, from_table
from pivotscope_agent.pipeline.channel import TLS_NAMES, Endpoint
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.sections import Section
from pivotscope_agent.targets.selector import OPT_IN, Labels, Selector

DEFAULT_COLLECTOR = "127.0.0.1:4640"
DEFAULT_SPOOL = Path("~/.local/state/pivotscope-agent").expanduser()

VARIABLES = {
    "PIVOTSCOPE_COLLECTOR": ("collector", "address"),
    "PIVOTSCOPE_TOKEN_FILE": ("collector", "token_file"),
    "PIVOTSCOPE_CA": ("collector.tls", "ca"),
    "PIVOTSCOPE_CERTIFICATE": ("collector.tls", "certificate"),
    "PIVOTSCOPE_KEY": ("collector.tls", "key"),
    "PIVOTSCOPE_SPOOL": ("spool", "folder"),
    "PIVOTSCOPE_WINDOW_SECONDS": ("sampling", "window_seconds"),
    "PIVOTSCOPE_RATE_HZ": ("sampling", "rate_hz"),
    "PIVOTSCOPE_SLOTS": ("sampling", "slots"),
    "PIVOTSCOPE_TARGET_CPU": ("budget", "target_cpu"),
    "PIVOTSCOPE_HOST_CPU": ("budget", "host_cpu"),
    "PIVOTSCOPE_STOPPED": ("budget", "stopped"),
    "PIVOTSCOPE_ACTIVE_EVERY": ("python", "active_every"),
    "PIVOTSCOPE_NATIVE_EVERY": ("python", "native_every"),
    "PIVOTSCOPE_RESCAN_SECONDS": ("targets", "rescan_seconds"),
    "PIVOTSCOPE_HTTP_LISTEN": ("http", "listen"),
    "PIVOTSCOPE_LOG_LEVEL": ("log", "level"),
    "PIVOTSCOPE_LOG_FORMAT": ("log", "format"),
}
"""Environment variables and the keys that they set."""

SELECTOR_KEYS = ("cmdline", "env", "user", "cgroup", "pid", "tree")
_KEYS = (*SELECTOR_KEYS, *Labels.__dataclass_fields__)
_NEXT_CONDITION = re.compile(rf",(?=(?:{'|'.join(_KEYS)})=)")


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How often and how hard processes are looked at; `slots` samplers run at once, at most.

    With `first_window_seconds` above 0, the windows of a process begin so short, and double.
    """

    window_seconds: int = 15
    first_window_seconds: int = 0
    rate_hz: int = 10
    slots: int = 8

    def seconds(self, window: int) -> int:
        """Length of the `window`-th window of a process, counted from 0."""
        if not self.first_window_seconds:
            return self.window_seconds
        return min(self.window_seconds, self.first_window_seconds << min(window, 16))


@dataclass(frozen=True, slots=True)
class PythonSettings:
    """Of every `active_every` windows one sees running threads, the others who holds the lock.

    With `native_every` above 0, one window in so many reads native frames too.
    """

    active_every: int = 4
    native_every: int = 0
    nonblocking: bool = False
    program: str = ""


@dataclass(frozen=True, slots=True)
class RubySettings:
    """How Ruby is sampled, `active_every` as for Python; `program` is rbspy's path where it is not searched for."""

    active_every: int = 4
    nonblocking: bool = False
    program: str = ""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """What the collector may ask for: nothing without `accept`, and no rate above `highest_rate_hz`."""

    accept: bool = True
    highest_rate_hz: int = 100


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where /metrics and /healthz are; an empty `host` with port 0: nowhere."""

    host: str = "127.0.0.1"
    port: int = 4642


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged, and how a line looks."""

    level: str = "info"
    format: str = "text"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, checked."""

    collector: Endpoint = field(default_factory=lambda: Endpoint(DEFAULT_COLLECTOR))
    spool: SpoolSettings = field(default_factory=lambda: SpoolSettings(DEFAULT_SPOOL))
    sampling: SamplingSettings = SamplingSettings()
    budget: Budgets = field(default_factory=Budgets)
    python: PythonSettings = PythonSettings()
    ruby: RubySettings = RubySettings()
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    control: ControlSettings = ControlSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    selectors: tuple[Selector, ...] = OPT_IN
    rescan_seconds: float = 1.0
    host: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value as it takes effect, by its dotted key in the configuration file, and where it came from."""

    key: str
    value: object
    origin: str = DEFAULT


def load(file: Path | None, environ: Mapping[str, str], flags: Mapping[tuple[str, str], object]) -> Settings:
    """Read and check all settings. `flags` are (table, key) → value, None where not given. Raises SettingsError."""
    return parse(merge(file, VARIABLES, environ, flags).values, token=environ.get("PIVOTSCOPE_TOKEN", ""))


def explain(merged: Merged, *, token: str = "") -> tuple[Settings, list[Setting]]:
    """The settings, and every value that took effect, in the order in which they are read. Raises SettingsError."""
    seen: dict[str, object] = {}
    settings = parse(merged.values, token=token, seen=seen)
    return settings, [Setting(key, value, merged.origin(key)) for key, value in seen.items()]


def parse(values: Mapping[str, Any], *, token: str = "", seen: dict[str, object] | None = None) -> Settings:
    """Check a configuration that was read; `token` is the environment's. Raises SettingsError.

    `seen` is filled with every value that takes effect, defaults too, by its dotted key.
    """
    top = Section("", values, seen)
    settings = Settings(
        collector=_collector(top.section("collector"), token),
        spool=_spool(top.section("spool")),
        sampling=_sampling(top.section("sampling")),
        budget=_budget(top.section("budget")),
        python=_python(top.section("python")),
        ruby=_ruby(top.section("ruby")),
        metrics=_metrics(top.section("metrics")),
        control=_control(top.section("control")),
        http=_http(top.section("http")),
        log=_log(top.section("log")),
        selectors=_selectors(top),
        rescan_seconds=_rescan(top.section("targets")),
        host=top.text("host"),
    )
    top.close()
    return settings


def parse_selector(text: str) -> dict[str, object]:
    """A selector as the command line has it, `KEY=VALUE[,KEY=VALUE…]`, as a table. Raises SettingsError.

    A comma that no key follows is part of the value.
    """
    table: dict[str, object] = {}
    for part in _NEXT_CONDITION.split(text):
        key, sign, value = part.partition("=")
        if not sign or key not in _KEYS:
            message = f"selector {text!r}: {part!r} is not KEY=VALUE with KEY one of {', '.join(_KEYS)}"
            raise SettingsError(message)
        table[key] = int(value) if key in {"pid", "tree"} and value.isdigit() else value
    return table


def _collector(section: Section, token: str) -> Endpoint:
    if not token.isascii() or (token and not token.isprintable()):
        raise SettingsError("PIVOTSCOPE_TOKEN is not a token: expected one line of ASCII")
    address = section.text("address", DEFAULT_COLLECTOR)
    port = address.rpartition(":")[2]
    if not address.startswith("unix:") and not (":" in address and port.isdigit() and 0 < int(port) < 65536):
        raise section.error("address", address, "HOST:PORT or unix:PATH")
    endpoint = Endpoint(
        address=address,
        token_file=section.path("token_file"),
        tls=_tls(section.section("tls")) if section.has("tls") else None,
        plaintext=section.flag("plaintext", default=False),
        token=token.strip(),
    )
    section.close()
    endpoint.check()
    return endpoint


def _tls(section: Section) -> TlsFiles:
    files = TlsFiles(section.path("ca"), section.path("certificate"), section.path("key"), names=TLS_NAMES)
    section.close()
    return files


def _spool(section: Section) -> SpoolSettings:
    settings = SpoolSettings(
        folder=section.path("folder", DEFAULT_SPOOL) or DEFAULT_SPOOL,
        max_bytes=section.integer("max_bytes", 256 << 20, low=1 << 20, high=1 << 40),
        max_age_s=section.number("max_age_hours", 24.0, low=0.01, high=24.0 * 90) * 3600.0,
        memory_bytes=section.integer("memory_bytes", 8 << 20, low=1 << 20, high=1 << 34),
        sync=section.flag("sync", default=True),
    )
    section.close()
    return settings


def _sampling(section: Section) -> SamplingSettings:
    settings = SamplingSettings(
        window_seconds=section.integer("window_seconds", 15, low=1, high=300),
        first_window_seconds=section.integer("first_window_seconds", 0, low=0, high=300),
        rate_hz=section.integer("rate_hz", 10, low=1, high=200),
        slots=section.integer("slots", 8, low=1, high=256),
    )
    section.close()
    return settings


def _budget(section: Section) -> Budgets:
    settings = Budgets(
        target_cpu=section.number("target_cpu", 0.01, low=0.0005, high=1024.0),
        host_cpu=section.number("host_cpu", 0.02, low=0.0005, high=1024.0),
        stopped=section.number("stopped", 0.005, low=0.0001, high=1.0),
    )
    section.close()
    return settings


def _python(section: Section) -> PythonSettings:
    settings = PythonSettings(
        active_every=section.integer("active_every", 4, low=0, high=1000),
        native_every=section.integer("native_every", 0, low=0, high=1000),
        nonblocking=section.flag("nonblocking", default=False),
        program=section.text("program"),
    )
    section.close()
    return settings


def _ruby(section: Section) -> RubySettings:
    settings = RubySettings(
        active_every=section.integer("active_every", 4, low=0, high=1000),
        nonblocking=section.flag("nonblocking", default=False),
        program=section.text("program"),
    )
    section.close()
    return settings


def _control(section: Section) -> ControlSettings:
    settings = ControlSettings(
        accept=section.flag("accept", default=True),
        highest_rate_hz=section.integer("highest_rate_hz", 100, low=1, high=1000),
    )
    section.close()
    return settings


def _rescan(section: Section) -> float:
    seconds = section.number("rescan_seconds", 1.0, low=0.1, high=60.0)
    section.close()
    return seconds


def _metrics(section: Section) -> MetricsSettings:
    settings = from_table(section.raw())
    for key in ("interval_seconds", "timeout_seconds", "max_bytes"):
        section.note(key, getattr(settings, key))
    section.note("endpoint", section.raw().get("endpoint", []))
    return settings


def _http(section: Section) -> HttpSettings:
    listen = section.text("listen", "127.0.0.1:4642")
    section.close()
    host, _, port = listen.rpartition(":")
    if listen == "off":
        return HttpSettings("", 0)
    if not host or not port.isdigit() or not int(port) < 65536:
        raise section.error("listen", listen, "HOST:PORT, or off")
    return HttpSettings(host.strip("[]"), int(port))


def _log(section: Section) -> LogSettings:
    settings = LogSettings(
        level=section.text("level", "info", choices=log.LEVELS),
        format=section.text("format", "text", choices=log.FORMATS),
    )
    section.close()
    return settings


def _selectors(top: Section) -> tuple[Selector, ...]:
    selectors = tuple(_selector(section) for section in top.sections("select"))
    if not selectors:
        top.note("select", [{"env": one.env} for one in OPT_IN])
    return selectors or OPT_IN


def _selector(section: Section) -> Selector:
    labels = Labels(**{name: section.text(name) for name in Labels.__dataclass_fields__})
    selector = Selector(
        cmdline=section.pattern("cmdline"),
        env=section.text("env"),
        user=section.text("user"),
        cgroup=section.text("cgroup"),
        pid=section.integer("pid", 0, low=0, high=1 << 22),
        tree=section.integer("tree", 0, low=0, high=1 << 22),
        labels=labels,
    )
    section.close()
    if not str(selector):
        raise section.error("cmdline", "", f"a condition; give at least one of {', '.join(SELECTOR_KEYS)}")
    return selector
