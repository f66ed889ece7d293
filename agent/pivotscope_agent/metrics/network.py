"""Bytes over the network, per network namespace: the kernel counts them for no single process."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pivotscope.profile.metric import MetricKind, MetricPoint, MetricRole, MetricSeries
from pivotscope.profile.window import Process


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that a namespace's interfaces counted, loopback left out."""

    received: int
    sent: int


def parse_net_dev(text: str) -> Traffic:
    """Sum over the interfaces of /proc/PID/net/dev. Raises ValueError for a text of another form.

    A line is `name: received-bytes packets errs drop fifo frame compressed multicast sent-bytes …` (proc(5)).
    """
    received = sent = 0
    for line in text.splitlines()[2:]:
        name, separator, numbers = line.partition(":")
        fields = numbers.split()
        if not separator or len(fields) < 9:
            raise ValueError(f"line {line!r}: expected an interface and at least nine numbers")
        if name.strip() != "lo":
            received += int(fields[0])
            sent += int(fields[8])
    return Traffic(received, sent)


class NetworkMeter:
    """Points of the namespaces that the processes live in, cumulative since the meter first saw each.

    A namespace that several services share (a host's own) is one series, whose service is their names joined by `+`.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._since: dict[MetricSeries, tuple[int, int]] = {}
        self._last: dict[MetricSeries, tuple[int, int]] = {}

    def read(self, processes: Iterable[Process], now_unix_ns: int) -> list[MetricPoint]:
        """Read each namespace once. Reads files; processes that are gone or not ours to see are left out."""
        points: list[MetricPoint] = []
        for namespace, members in self._namespaces(processes).items():
            traffic = self._traffic(members)
            if traffic is not None:
                received = _series(namespace, members, MetricRole.NETWORK_RECEIVED)
                sent = _series(namespace, members, MetricRole.NETWORK_SENT)
                points.append(self._point(received, traffic.received, now_unix_ns))
                points.append(self._point(sent, traffic.sent, now_unix_ns))
        return points

    def _point(self, series: MetricSeries, value: int, now: int) -> MetricPoint:
        base, since = self._since.setdefault(series, (value, now))
        last, last_seen = self._last.get(series, (value, now))
        if value < last:
            # An interface went away or its counter began anew, after the last reading.
            base, since = self._since[series] = (value, last_seen)
        self._last[series] = (value, now)
        return MetricPoint(series, now, since, float(value - base))

    def _namespaces(self, processes: Iterable[Process]) -> dict[str, list[Process]]:
        found: dict[str, list[Process]] = {}
        for process in sorted(processes, key=lambda one: (one.started_unix_ns, one.pid)):
            try:
                namespace = str((self._proc / str(process.pid) / "ns" / "net").readlink())
            except OSError:
                continue
            found.setdefault(namespace.removeprefix("net:").strip("[]"), []).append(process)
        return found

    def _traffic(self, members: Iterable[Process]) -> Traffic | None:
        for process in members:
            try:
                return parse_net_dev((self._proc / str(process.pid) / "net" / "dev").read_text("ascii"))
            except (OSError, ValueError):
                continue
        return None


def _series(namespace: str, members: list[Process], role: MetricRole) -> MetricSeries:
    """The series of a namespace. It names nothing that changes as processes come and go."""
    environments = {process.environment for process in members}
    return MetricSeries(
        service="+".join(sorted({process.service for process in members})),
        environment=environments.pop() if len(environments) == 1 else "",
        version="",
        variant="",
        instance=members[0].host,
        name=f"{role.value}_bytes",
        kind=MetricKind.COUNTER,
        role=role,
        unit="bytes",
        labels=(("network_namespace", namespace),),
    )
