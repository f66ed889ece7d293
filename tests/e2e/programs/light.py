"""Works for a fiftieth of the time, until it is killed."""

import sys
import time


def work() -> int:
    total = 0
    for number in range(20_000):
        total += number * number % 7
    return total


def main() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        began = time.thread_time()
        work()
        time.sleep(49.0 * (time.thread_time() - began))


if __name__ == "__main__":
    main()
