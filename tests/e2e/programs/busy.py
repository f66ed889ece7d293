"""Works for half of the time until it is killed."""

import sys
import time


def churn(count: int) -> int:
    total = 0
    for number in range(count):
        total += number * number % 7
    return total


def main() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        began = time.thread_time()
        churn(50_000)
        time.sleep(time.thread_time() - began)


if __name__ == "__main__":
    main()
