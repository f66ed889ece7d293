"""The counts' former place; they are in `telemetry`."""

from pivotscope_agent.telemetry.counters import Count, Counters

__all__ = ["Count", "Counters"]
