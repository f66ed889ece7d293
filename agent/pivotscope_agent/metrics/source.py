"""Where pages are: endpoint rules meet the processes that run now. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from pivotscope.profile.window import Process

from pivotscope_agent.metrics.config import EndpointRule


@dataclass(frozen=True, slots=True)
class Source:
    """A page, and the processes that may answer for it, oldest first.

    service, environment, version, variant and instance are those of the series, unless labels say otherwise.
    """

    url: str
    rule: EndpointRule
    processes: tuple[Process, ...]
    service: str
    environment: str
    version: str
    variant: str
    instance: str

    @property
    def identities(self) -> frozenset[tuple[int, int]]:
        """(pid, start time) of every process behind the page."""
        return frozenset((process.pid, process.started_unix_ns) for process in self.processes)

    @property
    def started_unix_ns(self) -> int:
        """When the oldest process behind the page began."""
        return self.processes[0].started_unix_ns


def resolve(rules: Iterable[EndpointRule], processes: Iterable[Process]) -> list[Source]:
    """The pages to read now: one for each distinct URL of a rule and service.

    Workers that share a port share a page. What they do not agree on (version, variant) stays empty, and their
    instance is then host and port of the page.
    """
    known = sorted(processes, key=lambda process: (process.started_unix_ns, process.pid))
    found: list[Source] = []
    for rule in rules:
        pages: dict[tuple[str, str, str], list[Process]] = {}
        for process in known:
            if rule.service in ("", process.service):
                page = (expand(rule, process), process.service, process.environment)
                pages.setdefault(page, []).append(process)
        for (url, service, environment), members in pages.items():
            found.append(
                Source(
                    url=url,
                    rule=rule,
                    processes=tuple(members),
                    service=service,
                    environment=environment,
                    version=_common(process.version for process in members),
                    variant=_common(process.variant for process in members),
                    instance=_common(process.instance for process in members) or f"{members[0].host}:{_port(url)}",
                )
            )
    return found


def expand(rule: EndpointRule, process: Process) -> str:
    """The URL of a rule for a process."""
    return rule.url.format(port=rule.port, pid=process.pid, host=process.host, instance=process.instance)


def _common(values: Iterable[str]) -> str:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else ""


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
