"""A steady, seeded load on one service: open loop, so that a slow answer does not slow the questions.

Run as `python -m pivotscope_collector.demo.load URL RATE SEED`; ends on SIGTERM.
"""

import http.client
import random
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 4
USERS = 5000
MERCHANTS = 40


def arrivals(source: random.Random, rate: float) -> float:
    """Seconds until the next request of a Poisson process of `rate` a second."""
    return source.expovariate(rate)


def path_of(source: random.Random) -> str:
    """The next request: a user out of many, a merchant out of few."""
    return f"/report/{source.randrange(MERCHANTS)}?user=u{source.randrange(USERS)}"


class Caller(threading.Thread):
    """One connection that sends its part of the load until told to stop."""

    def __init__(self, host: str, port: int, rate: float, seed: int, stopped: threading.Event) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection(host, port, timeout=5.0)
        self._rate = rate
        self._source = random.Random(seed)  # noqa: S311 - a load, not a secret
        self._stopped = stopped
        self.answered = 0
        self.failed = 0

    def run(self) -> None:
        """Send requests when they are due; one that is late is sent at once."""
        due = time.monotonic()
        while not self._stopped.is_set():
            due += arrivals(self._source, self._rate)
            if self._stopped.wait(max(0.0, due - time.monotonic())):
                return
            self._send(path_of(self._source))

    def _send(self, path: str) -> None:
        try:
            self._connection.request("GET", path)
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self.failed += 1
            return
        if response.status == http.client.OK:
            self.answered += 1
        else:
            self.failed += 1


def main(arguments: list[str]) -> int:
    """Load the service until SIGTERM or SIGINT; print what was answered and what failed."""
    address, rate, seed = urlsplit(arguments[0]), float(arguments[1]), int(arguments[2])
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    callers = [
        Caller(address.hostname or "127.0.0.1", address.port or 80, rate / CONNECTIONS, seed * 1000 + index, stopped)
        for index in range(CONNECTIONS)
    ]
    for caller in callers:
        caller.start()
    stopped.wait()
    for caller in callers:
        caller.join(timeout=6.0)
    sys.stdout.write(
        f"answered {sum(caller.answered for caller in callers)} failed {sum(caller.failed for caller in callers)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
