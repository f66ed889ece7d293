"""A fixed piece of work, over and over; how often stands in a file.

work_loop.py FILE
"""

import os
import sys


def piece(depth: int) -> int:
    """About a millisecond at the bottom of twenty calls."""
    if depth:
        return piece(depth - 1)
    total = 0
    for number in range(10_000):
        total += number * number % 7
    return total


def main() -> None:
    """Work until killed."""
    count = 0
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        piece(20)
        count += 1
        os.pwrite(file, count.to_bytes(8, "little"), 0)


if __name__ == "__main__":
    main()
