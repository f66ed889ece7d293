"""What the collector asked for, as it stands now."""

from pivotscope_agent.clock import Clock

FOREVER = -1


class Controls:
    """Rates and pauses by service; the empty service stands for all. The agent's own limits are applied elsewhere."""

    def __init__(self, clock: Clock, highest_hz: int) -> None:
        self._clock = clock
        self._highest_hz = highest_hz
        self._rates: dict[str, int] = {}
        self._paused_until: dict[str, int] = {}

    def set_rate(self, service: str, rate_hz: int) -> None:
        """Sample at another rate, at most the highest allowed here; 0 goes back to the settings."""
        if rate_hz:
            self._rates[service] = min(rate_hz, self._highest_hz)
        else:
            self._rates.pop(service, None)

    def pause(self, service: str, seconds: int) -> None:
        """Stop sampling for so long; 0 seconds: until resumed."""
        self._paused_until[service] = self._clock.monotonic_ns() + seconds * 1_000_000_000 if seconds else FOREVER

    def resume(self, service: str) -> None:
        """Sample again; the empty service ends every pause."""
        if service:
            self._paused_until.pop(service, None)
        else:
            self._paused_until.clear()

    def rate(self, service: str, default_hz: int) -> int:
        """The rate asked for this service."""
        return self._rates.get(service, self._rates.get("", default_hz))

    def paused(self, service: str) -> bool:
        """Whether this service is paused now."""
        now = self._clock.monotonic_ns()
        return any(
            until == FOREVER or until > now
            for name in ("", service)
            if (until := self._paused_until.get(name)) is not None
        )
