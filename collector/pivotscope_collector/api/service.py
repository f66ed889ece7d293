"""The query and admin services: read the request, ask the pure rooms, translate errors once."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from pivotscope.v1 import control_pb2, query_pb2, query_pb2_grpc

from pivotscope_collector.api.agents import get_agent, list_agents
from pivotscope_collector.api.check import check
from pivotscope_collector.api.controls import change_controls, list_controls
from pivotscope_collector.api.flame import get_flame
from pivotscope_collector.api.hotspots import list_hotspots
from pivotscope_collector.api.plan import get_plan
from pivotscope_collector.api.selection import require_service, selection_of
from pivotscope_collector.api.trend import get_trend
from pivotscope_collector.errors import NotFoundError, PivotscopeError, StoreError, UsageError
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection

Answer = TypeVar("Answer")
Context = grpc.aio.ServicerContext[Any, Any]

STATUS = {
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    UsageError: grpc.StatusCode.INVALID_ARGUMENT,
    StoreError: grpc.StatusCode.INTERNAL,
}


async def answered(context: Context, work: Callable[[], Answer]) -> Answer:
    """Do blocking work off the loop; an error of ours becomes a status."""
    try:
        return await asyncio.to_thread(work)
    except PivotscopeError as error:
        await context.abort(STATUS.get(type(error), grpc.StatusCode.INTERNAL), str(error))
        raise  # abort raises; this tells the type checker so


class QueryService(query_pb2_grpc.QueryServiceServicer):
    """Reads the store; every call stands alone."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _select(self, message: query_pb2.Selection) -> Selection:
        require_service(self._client, message.service)
        return selection_of(message, time.time_ns())

    async def ListHotspots(
        self, request: query_pb2.ListHotspotsRequest, context: Context
    ) -> query_pb2.ListHotspotsResponse:
        """Where the CPU goes."""
        return await answered(
            context,
            lambda: list_hotspots(
                self._client,
                self._select(request.selection),
                request.limit,
                libraries=request.libraries,
                by_total=request.by_total,
            ),
        )

    async def GetTrend(self, request: query_pb2.GetTrendRequest, context: Context) -> query_pb2.GetTrendResponse:
        """One function over time."""
        return await answered(
            context,
            lambda: get_trend(self._client, self._select(request.selection), request.function, request.step_seconds),
        )

    async def GetFlame(self, request: query_pb2.GetFlameRequest, context: Context) -> query_pb2.GetFlameResponse:
        """A merged flame graph."""
        return await answered(context, lambda: get_flame(self._client, self._select(request.selection), request.mode))

    async def GetPlan(self, request: query_pb2.GetPlanRequest, context: Context) -> query_pb2.GetPlanResponse:
        """The current plan."""
        return await answered(context, lambda: get_plan(self._client, request.codebase))

    async def Compare(self, request: query_pb2.CompareRequest, context: Context) -> query_pb2.CompareResponse:
        """Two arms held against each other."""
        return await answered(context, lambda: self._compare(request))

    def _compare(self, request: query_pb2.CompareRequest) -> query_pb2.CompareResponse:
        # The statistics libraries take seconds of CPU to load: the first comparison pays, not every start.
        from pivotscope_collector.api.compare import compare_arms  # noqa: PLC0415

        return compare_arms(self._client, self._select(request.selection), request)

    async def ListAgents(self, _request: query_pb2.ListAgentsRequest, context: Context) -> query_pb2.ListAgentsResponse:
        """Who sends, and how they fare."""
        return await answered(context, lambda: list_agents(self._client, time.time_ns()))

    async def GetAgent(self, request: query_pb2.GetAgentRequest, context: Context) -> query_pb2.GetAgentResponse:
        """One agent, and how it last said that it fares."""
        return await answered(context, lambda: get_agent(self._client, request.agent, time.time_ns()))


class AdminService(query_pb2_grpc.AdminServiceServicer):
    """What only the process that holds an embedded store can do."""

    def __init__(self, client: Client, changed: Callable[[], None]) -> None:
        self._client = client
        self._changed = changed

    async def Check(self, _request: query_pb2.CheckRequest, context: Context) -> query_pb2.CheckResponse:
        """Sizes, versions and problems of the store."""
        return await answered(context, lambda: check(self._client))

    async def ChangeControls(
        self, request: control_pb2.ChangeControlsRequest, context: Context
    ) -> control_pb2.ChangeControlsResponse:
        """Ask something of agents, or take it back."""
        answer = await answered(context, lambda: change_controls(self._client, request, time.time_ns()))
        self._changed()
        return answer

    async def ListControls(
        self, _request: control_pb2.ListControlsRequest, context: Context
    ) -> control_pb2.ListControlsResponse:
        """What is asked of agents now."""
        return await answered(context, lambda: list_controls(self._client, time.time_ns()))
