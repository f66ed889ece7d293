"""Works for so many seconds, says what CPU it used, and ends. With `fork`, a child does the same.

short.py SECONDS [fork]
"""

import os
import sys
import time


class Report:
    def total(self, count: int) -> int:
        total = 0
        for number in range(count):
            total += number * number % 7
        return total


def main() -> None:
    end = time.monotonic() + float(sys.argv[1])
    child = os.fork() if "fork" in sys.argv else 0
    while time.monotonic() < end:
        Report().total(20_000)
    if child:
        os.waitpid(child, 0)
    # One write: parent and child share the stream.
    os.write(1, f"used {time.process_time():.3f}\n".encode())


if __name__ == "__main__":
    main()
