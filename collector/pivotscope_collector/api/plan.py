"""The current plan."""

from pivotscope.v1 import query_pb2

from pivotscope_collector.errors import NotFoundError
from pivotscope_collector.store import plans
from pivotscope_collector.store.client import Client


def get_plan(client: Client, codebase: str) -> query_pb2.GetPlanResponse:
    """The newest plan of a codebase, or of all of them."""
    stored = plans.newest(client, codebase or plans.ALL)
    if stored is None:
        what = f"codebase {codebase!r}" if codebase else "any codebase"
        raise NotFoundError(
            f"no plan of {what} yet: plans are computed on a schedule once windows have come in (`pivotscope hotspots`)"
        )
    return query_pb2.GetPlanResponse(document=stored.document.encode(), computed_unix_ns=stored.computed_ns)
