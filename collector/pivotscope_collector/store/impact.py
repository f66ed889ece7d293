"""Reads what comparisons stand on: metric series, CPU and memory of processes, samples beneath functions."""

from collections.abc import Mapping, Sequence
from string import Template

from pivotscope.profile.function import Function
from pivotscope.profile.metric import MetricKind, MetricRole, MetricSeries

from pivotscope_collector.store import catalogue, reader
from pivotscope_collector.store.client import Client, Columns, rows, statement
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.selection import condition

Where = Mapping[str, object]
"""service, those given of environment, version and variant, and since_ns, until_ns (unix nanoseconds)."""


class ImpactReader:
    """Observations of arms, raw: blocks of any length need the windows and points themselves."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def series(self, where: Where) -> list[tuple[int, MetricSeries]]:
        """Series of an arm that have a role, with their ids."""
        found = self._query("impact_series", where)
        return [(row["series_id"], _series(row)) for row in rows(found)]

    def points(self, where: Where, series_ids: Sequence[int], step_ns: int) -> Columns:
        """series_id, at_ns, start_ns, value, buckets in order of series and time; the last one a step (0: all)."""
        bound = {**where, "series_ids": list(series_ids), "step_ns": step_ns}
        return self._client.query("impact_points", bound)

    def cpu(self, where: Where, block_ns: int, language: str) -> Columns:
        """Block (from since_ns on), cpu_ns, covered_ns, processes; CPU of windows spread over the blocks they cover."""
        return self._query("impact_cpu", {**where, "block_ns": block_ns, "language": language})

    def processes(self, where: Where) -> Columns:
        """identity, mean_bytes, peak_bytes of each process."""
        return self._query("impact_processes", where)

    def functions(self, where: Where, name: str) -> dict[int, Function]:
        """Sampled functions of that qualified name, or whose name ends with it."""
        known = catalogue.functions_by_name(self._client, name)
        if not known:
            return {}
        since, until = (int(str(where[key])) for key in ("since_ns", "until_ns"))
        selection = Selection(since, until, service=str(where["service"]))
        seen = set(reader.functions(self._client, selection, function_ids=sorted(known))["function_id"])
        return {key: function for key, function in known.items() if key in seen}

    def subtree(
        self, where: Where, block_ns: int, language: str, target: Sequence[int], other: Sequence[int]
    ) -> Columns:
        """block, mode, windows, samples, cpu_ns, delay_ns, y, x, yy, xy, xx over complete windows.

        Blocks count from since_ns on; y counts samples with a function of `target` and none of `other` on the stack.
        """
        bound = {
            **where,
            "block_ns": block_ns,
            "language": language,
            "target": list(target),
            "other": list(other),
        }
        return self._query("impact_subtree", bound)

    def _query(self, name: str, bound: Mapping[str, object]) -> Columns:
        """`sql/<name>.sql`, which says WHERE ${pools} for the names that are bound."""
        return self._client.run(Template(statement(name)).substitute(pools=condition(bound)), bound)


def _series(row: Mapping[str, object]) -> MetricSeries:
    labels, bounds = row["labels"], row["bounds"]
    return MetricSeries(
        service=str(row["service"]),
        environment=str(row["environment"]),
        version=str(row["version"]),
        variant=str(row["variant"]),
        instance=str(row["instance"]),
        name=str(row["name"]),
        kind=MetricKind(str(row["kind"])),
        role=MetricRole(str(row["role"])),
        unit=str(row["unit"]),
        labels=tuple(sorted(labels.items())) if isinstance(labels, dict) else (),
        bounds=tuple(float(x) for x in bounds) if isinstance(bounds, (list, tuple)) else (),
    )
