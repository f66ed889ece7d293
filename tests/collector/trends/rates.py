"""`python -m tests.collector.trends.rates [RUNS]`: the rates that the tests assert, on many more series."""

import sys

from tests.collector.trends.simulation import NULLS, SLOPES, STEPS, alarms, slopes, steps


def main(runs: int) -> None:
    """Print a line a scenario."""
    for name, scenario in NULLS.items():
        print(f"false alarms  {name:45} {100 * alarms(scenario, runs, 1):5.1f} %", flush=True)  # noqa: T201
    for name, (scenario, size, _) in STEPS.items():
        rates = steps(scenario, size, runs, 2)
        line = f"{100 * rates.found:5.1f} % found, {100 * rates.placed:5.1f} % within the interval"
        print(f"step of {size:.1f} σ  {name:45} {line}", flush=True)  # noqa: T201
    for name, (scenario, size, _) in SLOPES.items():
        found, inside = slopes(scenario, size, runs, 3)
        line = f"{100 * found:5.1f} % found, {100 * inside:5.1f} % of intervals hold it"
        print(f"{size:.2f} σ a step   {name:45} {line}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
