"""What the agent remembers with a record: as durable as the record itself, and never sent. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """CPU in nanoseconds that the windows of one record account for, of the process (pid, start_ticks).

    `before_ns` is the process's CPU time from which this run of the agent accounts for it.
    """

    pid: int
    start_ticks: int
    before_ns: int
    cpu_ns: int

    @property
    def key(self) -> tuple[int, int]:
        """The process, on this boot of this host."""
        return self.pid, self.start_ticks


@dataclass(frozen=True, slots=True)
class Notes:
    """CPU by process, and the drops by reason that the record tells the collector of."""

    entries: tuple[Entry, ...] = ()
    told: Mapping[str, int] = field(default_factory=dict)

    def pack(self) -> bytes:
        """As bytes; none where there is nothing to remember."""
        if not self.entries and not self.told:
            return b""
        rows = [(one.pid, one.start_ticks, one.before_ns, one.cpu_ns) for one in self.entries]
        return json.dumps({"cpu": rows, "told": dict(self.told)}, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, data: bytes) -> "Notes":
        """From bytes that a checksum has found whole; nothing where another version wrote them."""
        try:
            document = json.loads(data) if data else {}
            return cls(
                tuple(Entry(*map(int, row)) for row in document.get("cpu", ())),
                {str(reason): int(amount) for reason, amount in document.get("told", {}).items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()
