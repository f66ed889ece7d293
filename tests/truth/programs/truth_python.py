"""A program that knows where its CPU goes, and writes it down.

    truth_python.py LOG SEED SECONDS [--wait] [--duty PART]

It draws one piece of work after the other, of 1 to 50 ms of CPU each, from a seeded mix. LOG gets a line
before and after each: wall clock in ns, CPU of the process in ns, then `name=ns` of every kind of work, cumulative.
It ends after SECONDS. With --wait it says `ready` and begins when a line arrives on its standard input; after
SECONDS of CPU it says `done` and sleeps until its standard input is closed.
"""

import argparse
import hashlib
import os
import random
import re
import sys
import time
import zlib
from collections.abc import Callable

SPENT: dict[str, int] = {}
NOISE = random.Random(7).randbytes(131_072)
TEXT = "order 17, 4 pieces at 3.50 dollars; " * 60
ABSENT = re.compile(r"(\d+) pieces at (\d+\.\d\d) euros")
now = time.thread_time_ns


def price_orders(until: int) -> None:
    total = 0
    while now() < until:
        for number in range(400):
            total += number * number % 7


class Ledger:
    def __init__(self) -> None:
        self.balance = 0

    def settle(self, until: int) -> None:
        while now() < until:
            for number in range(400):
                self.balance += number % 13


def descend(depth: int, until: int) -> int:
    total = 0
    part = (until - now()) // (depth + 1)
    end = now() + part
    while now() < end:
        for number in range(200):
            total += number & depth
    return descend(depth - 1, until) if depth else total


def pack(until: int) -> None:
    while now() < until:
        zlib.compress(NOISE, 6)
        hashlib.sha256(NOISE).digest()


def scan(until: int) -> None:
    while now() < until:
        ABSENT.search(TEXT)


def rest(seconds: float) -> None:
    time.sleep(seconds)


LEDGER = Ledger()
WORK: tuple[tuple[str, float, Callable[[int], object]], ...] = (
    ("Ledger.settle", 0.32, LEDGER.settle),
    ("price_orders", 0.22, price_orders),
    ("descend", 0.18, lambda until: descend(20, until)),
    ("pack", 0.16, pack),
    ("scan", 0.12, scan),
)


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def note(log: int) -> None:
    fields = " ".join(f"{name}={spent}" for name, spent in SPENT.items())
    os.write(log, f"{time.time_ns()} {time.process_time_ns()} {fields}\n".encode())


def work(log: int, mix: random.Random, seconds: float, duty: float, clock: Callable[[], float]) -> None:
    names = [name for name, _, _ in WORK]
    weights = [weight for _, weight, _ in WORK]
    functions = {name: function for name, _, function in WORK}
    finish = clock() + seconds
    while clock() < finish:
        name = mix.choices(names, weights)[0]
        dwell = mix.randint(1_000_000, 50_000_000)
        began = now()
        functions[name](began + dwell)
        SPENT[name] += now() - began
        note(log)
        if duty < 1.0:
            began = now()
            rest(dwell / 1e9 * (1.0 - duty) / duty)
            SPENT["rest"] += now() - began
            note(log)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("log")
    options.add_argument("seed", type=int)
    options.add_argument("seconds", type=float)
    options.add_argument("--wait", action="store_true")
    options.add_argument("--duty", type=float, default=0.8)
    chosen = options.parse_args()
    log = os.open(chosen.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    SPENT.update(dict.fromkeys([*(name for name, _, _ in WORK), "rest"], 0))
    note(log)
    say("ready")
    if chosen.wait:
        sys.stdin.readline()
    mix = random.Random(chosen.seed)
    clock = time.process_time if chosen.wait else time.monotonic
    work(log, mix, chosen.seconds, chosen.duty, clock)
    note(log)
    if chosen.wait:
        say("done")
        sys.stdin.read()


if __name__ == "__main__":
    main()
