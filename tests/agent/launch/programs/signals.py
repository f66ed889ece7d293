"""Prints the name of each signal that it gets, and each line that it reads; `end` or SIGTERM ends it with status 3."""

import os
import signal
import sys
from types import FrameType


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


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
    say("ready, in the foreground" if foreground() else "ready")
    if not foreground():
        while True:
            signal.pause()
    for line in sys.stdin:
        if line == "end\n":
            sys.exit(3)
        say(f"read: {line.rstrip()}")


if __name__ == "__main__":
    main()
