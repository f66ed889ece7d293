"""Many deep threads that know where their CPU goes: 24 threads of 60 frames each.

    truth_deep.py LOG SEED SECONDS [--threads N] [--frames N] [--duty PART] [--piece MS]

Each thread goes down the frames and, at the bottom, does one of two pieces of work of about MS milliseconds; then it
sleeps, so that all together use the processor for PART of the time. LOG gets a line fifty times a second: wall clock in
ns, CPU of the process in ns, then `name=ns` of both pieces with the way down to them, cumulative, and `units=` pieces
done.
"""

import argparse
import os
import random
import sys
import threading
import time
from collections.abc import Callable

now = time.thread_time_ns
LOCK = threading.Lock()
STEPS_A_MS = 12_000
SPENT = {"grind": 0, "polish": 0, "units": 0}


def grind(steps: int) -> int:
    total = 0
    for number in range(steps):
        total += number * number % 7
    return total


def polish(steps: int) -> int:
    total = 0
    for number in range(steps):
        total += number % 13 & 5
    return total


def down(frames: int, work: Callable[[int], int], steps: int) -> int:
    return down(frames - 1, work, steps) if frames else work(steps)


def toil(seed: int, frames: int, threads: int, duty: float, steps: int) -> None:
    mix = random.Random(seed)
    while True:
        name, work = ("grind", grind) if mix.random() < 0.6 else ("polish", polish)
        began = now()
        down(frames, work, steps)
        spent = now() - began
        with LOCK:
            SPENT[name] += spent
            SPENT["units"] += 1
        time.sleep(mix.expovariate(duty / (threads * spent / 1e9)))


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("log")
    options.add_argument("seed", type=int)
    options.add_argument("seconds", type=float)
    options.add_argument("--threads", type=int, default=24)
    options.add_argument("--frames", type=int, default=60)
    options.add_argument("--duty", type=float, default=0.4)
    options.add_argument("--piece", type=float, default=0.5)
    chosen = options.parse_args()
    log = os.open(chosen.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for thread in range(chosen.threads):
        # Below the function that toils are two frames of the threading module, and itself.
        steps = round(chosen.piece * STEPS_A_MS)
        arguments = (chosen.seed * 1000 + thread, chosen.frames - 5, chosen.threads, chosen.duty, steps)
        threading.Thread(target=toil, args=arguments, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    finish = time.monotonic() + chosen.seconds
    while time.monotonic() < finish:
        with LOCK:
            fields = " ".join(f"{name}={value}" for name, value in SPENT.items())
            line = f"{time.time_ns()} {time.process_time_ns()} {fields}\n"
        os.write(log, line.encode())
        time.sleep(0.02)


if __name__ == "__main__":
    main()
