"""Works or rests as its standard input says, a word a line: work, wide, rest. It ends with its input.

`wide` works too, in functions of so long names that a window of it takes much room.
"""

import sys
import threading
import time
from collections.abc import Callable

state = ["rest"]


def churn(count: int) -> int:
    total = 0
    for number in range(count):
        total += number * number % 7
    return total


def widen(number: int) -> Callable[[], int]:
    name = f"wide_{number}_" + "x" * 4000
    scope: dict[str, Callable[..., int]] = {"churn": churn}
    exec(f"def {name}():\n    return churn(20_000)\n", scope)  # noqa: S102
    return scope[name]


WIDE = [widen(number) for number in range(200)]


def listen() -> None:
    for line in sys.stdin:
        state[0] = line.strip()
    state[0] = "end"


def main() -> None:
    threading.Thread(target=listen, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    turn = 0
    while state[0] != "end":
        if state[0] == "work":
            churn(20_000)
            time.sleep(0.002)
        elif state[0] == "wide":
            turn = (turn + 1) % len(WIDE)
            WIDE[turn]()
        else:
            time.sleep(0.02)


if __name__ == "__main__":
    main()
