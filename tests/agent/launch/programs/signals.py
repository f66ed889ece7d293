"""Prints the name of each signal that it gets, and each line that it reads; `end` or SIGTERM ends it with status 3."""

import os
import select
import signal
import sys
from types import FrameType


def say(text: str) -> None:
    """Unbuffered: a handler may come while another writes, and a buffer is locked then."""
    os.write(1, f"{text}\n".encode())


def receive(number: int, _frame: FrameType | None) -> None:
    say(signal.Signals(number).name)
    if number == signal.SIGTERM:
        sys.exit(3)


def foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def main() -> None:
    for name in ("HUP", "USR1", "USR2", "WINCH", "QUIT", "INT", "ALRM", "CONT", "TERM"):
        if name != "CONT" or not foreground():
            signal.signal(getattr(signal, f"SIG{name}"), receive)
    # A signal that comes just before a call that waits must end the wait: its handler runs only after it.
    came, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    say("ready, in the foreground" if foreground() else "ready")
    watched = [came, 0] if foreground() else [came]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if came in ready:
            os.read(came, 64)
        if 0 in ready:
            line = os.read(0, 4096).decode()
            if line in {"end\n", ""}:
                sys.exit(3 if line else 0)
            say(f"read: {line.rstrip()}")


if __name__ == "__main__":
    main()
