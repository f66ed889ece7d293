"""Lines of deploy/agent-metrics.md, from the table: `python -m tests.agent.telemetry.documented` prints them."""

import sys

from pivotscope_agent.telemetry.table import PREFIX, TABLE, Kind


def rows() -> list[str]:
    """One line a metric, in the order of the table."""
    lines = []
    for name, metric in TABLE.items():
        shown = f"{PREFIX}{name}{'_total' if metric.kind is Kind.COUNTER else ''}"
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{shown}` | {metric.kind} | {labels} | {metric.meaning} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(rows()) + "\n")
