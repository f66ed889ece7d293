"""The query and admin services: read the request, ask the pure rooms, translate errors once."""

import time
from collections.abc import AsyncIterator, Callable, Sequence

from pivotscope.v1 import backup_pb2, control_pb2, query_pb2, query_pb2_grpc

from pivotscope_collector.api import diff, hotspots, labels
from pivotscope_collector.api.agents import get_agent, list_agents
from pivotscope_collector.api.answering import Context, Questions, answered, streamed
from pivotscope_collector.api.backup import Backups
from pivotscope_collector.api.check import check
from pivotscope_collector.api.controls import change_controls, list_controls
from pivotscope_collector.api.flame import get_flame
from pivotscope_collector.api.pages import LONGEST, page_of
from pivotscope_collector.api.plan import get_plan
from pivotscope_collector.api.ranking import Known
from pivotscope_collector.api.selection import Named, require_names, require_service, selection_of
from pivotscope_collector.api.tokens import create_token, list_audit, list_tokens, revoke_token
from pivotscope_collector.api.trend import get_trend
from pivotscope_collector.ingest.cardinality import Reached
from pivotscope_collector.security.book import TokenBook
from pivotscope_collector.settings import QueryLimits, Retention
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection


class QueryService(query_pb2_grpc.QueryServiceServicer):
    """Reads the store; every call stands alone."""

    def __init__(self, client: Client, limits: QueryLimits, retention: Retention | None = None) -> None:
        self._client = client
        self._retention = retention or Retention()
        self._questions = Questions(limits)
        self._known = Known(client, limits.remembered_mb)
        self._services: set[str] = set()
        self._names: set[Named] = set()

    def _select(self, message: query_pb2.Selection) -> Selection:
        selection = selection_of(message, time.time_ns(), self._retention)
        # A service that was known once stays known, and so does a name.
        if message.service not in self._services:
            require_service(self._client, message.service)
            self._services.add(message.service)
        require_names(self._client, selection, self._names)
        return selection

    async def ListHotspots(
        self, request: query_pb2.ListHotspotsRequest, context: Context
    ) -> query_pb2.ListHotspotsResponse:
        """Where the CPU goes."""
        return await self._questions.answered(context, lambda: self._hotspots(request))

    def _hotspots(self, request: query_pb2.ListHotspotsRequest) -> query_pb2.ListHotspotsResponse:
        selections = [self._select(request.selection)]
        page = page_of(request, request.limit, hotspots.DEFAULT_LIMIT, selections)
        (selection,) = page.held(selections)
        return hotspots.list_hotspots(
            self._known, selection, page, libraries=request.libraries, by_total=request.by_total
        )

    async def DiffHotspots(
        self, request: query_pb2.DiffHotspotsRequest, context: Context
    ) -> query_pb2.DiffHotspotsResponse:
        """Functions of two selections held against each other."""
        return await self._questions.answered(context, lambda: self._diff(request))

    def _diff(self, request: query_pb2.DiffHotspotsRequest) -> query_pb2.DiffHotspotsResponse:
        selections = [self._select(request.base), self._select(request.selection)]
        page = page_of(request, request.limit, diff.DEFAULT_LIMIT, selections)
        base, selection = page.held(selections)
        return diff.diff_hotspots(self._client, self._known, (base, selection), request, page)

    async def ListLabels(self, request: query_pb2.ListLabelsRequest, context: Context) -> query_pb2.ListLabelsResponse:
        """The names that windows carry."""
        return await self._questions.answered(context, lambda: self._labels(request))

    def _labels(self, request: query_pb2.ListLabelsRequest) -> query_pb2.ListLabelsResponse:
        selections = [self._select(request.selection)]
        page = page_of(request, request.page_size, labels.DEFAULT_SIZE, selections)
        (selection,) = page.held(selections)
        return labels.list_labels(self._client, selection, request.name, page)

    async def GetTrend(self, request: query_pb2.GetTrendRequest, context: Context) -> query_pb2.GetTrendResponse:
        """One function over time."""
        return await self._questions.answered(
            context,
            lambda: get_trend(self._client, self._known, self._select(request.selection), request),
        )

    async def GetFlame(self, request: query_pb2.GetFlameRequest, context: Context) -> query_pb2.GetFlameResponse:
        """A merged flame graph."""
        return await self._questions.answered(context, lambda: self._flame(request))

    def _flame(self, request: query_pb2.GetFlameRequest) -> query_pb2.GetFlameResponse:
        base = self._select(request.base) if request.HasField("base") else None
        return get_flame(
            self._known,
            self._select(request.selection),
            request.mode,
            base=base,
            least=request.min_share,
        )

    async def GetPlan(self, request: query_pb2.GetPlanRequest, context: Context) -> query_pb2.GetPlanResponse:
        """The current plan."""
        return await self._questions.answered(context, lambda: get_plan(self._client, request.codebase))

    async def Compare(self, request: query_pb2.CompareRequest, context: Context) -> query_pb2.CompareResponse:
        """Two arms held against each other."""
        return await self._questions.answered(context, lambda: self._compare(request))

    def _compare(self, request: query_pb2.CompareRequest) -> query_pb2.CompareResponse:
        # The statistics libraries take seconds of CPU to load: the first comparison pays, not every start.
        from pivotscope_collector.api.compare import compare_arms  # noqa: PLC0415

        return compare_arms(self._client, self._select(request.selection), request, self._names)

    async def ListAgents(self, request: query_pb2.ListAgentsRequest, context: Context) -> query_pb2.ListAgentsResponse:
        """Who sends, and how they fare."""
        return await self._questions.answered(context, lambda: self._agents(request))

    def _agents(self, request: query_pb2.ListAgentsRequest) -> query_pb2.ListAgentsResponse:
        page = page_of(request, request.page_size, LONGEST)
        found = list_agents(self._client, time.time_ns()).agents
        return query_pb2.ListAgentsResponse(agents=page.cut(found), next_page_token=page.following(len(found)))

    async def GetAgent(self, request: query_pb2.GetAgentRequest, context: Context) -> query_pb2.GetAgentResponse:
        """One agent, and how it last said that it fares."""
        return await self._questions.answered(context, lambda: get_agent(self._client, request.agent, time.time_ns()))


class AdminService(query_pb2_grpc.AdminServiceServicer):
    """What only the process that holds an embedded store can do."""

    def __init__(
        self,
        client: Client,
        changed: Callable[[], None],
        book: TokenBook,
        backups: Backups,
        reached: Callable[[], Sequence[Reached]] = tuple,
    ) -> None:
        self._client = client
        self._changed = changed
        self._book = book
        self._backups = backups
        self._reached = reached

    async def Check(self, _request: query_pb2.CheckRequest, context: Context) -> query_pb2.CheckResponse:
        """Sizes, versions and problems of the store."""
        return await answered(context, lambda: check(self._client, self._reached()))

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

    async def CreateToken(
        self, request: query_pb2.CreateTokenRequest, context: Context
    ) -> query_pb2.CreateTokenResponse:
        """Make a token."""
        return await answered(context, lambda: create_token(self._client, self._book, request, time.time_ns()))

    async def ListTokens(self, request: query_pb2.ListTokensRequest, context: Context) -> query_pb2.ListTokensResponse:
        """The tokens that are valid, or all."""
        return await answered(context, lambda: list_tokens(self._book, request, time.time_ns()))

    async def RevokeToken(
        self, request: query_pb2.RevokeTokenRequest, context: Context
    ) -> query_pb2.RevokeTokenResponse:
        """End a token, and what is open with it here at once."""
        answer = await answered(context, lambda: revoke_token(self._client, self._book, request, time.time_ns()))
        await self._book.look()
        return answer

    async def ListAudit(self, request: query_pb2.ListAuditRequest, context: Context) -> query_pb2.ListAuditResponse:
        """Who called this service."""
        return await answered(context, lambda: list_audit(self._client, request))

    async def Backup(
        self, request: backup_pb2.BackupRequest, context: Context
    ) -> AsyncIterator[backup_pb2.BackupResponse]:
        """Back the store up."""
        async for answer in streamed(context, self._backups.make(request.target, time.time_ns())):
            yield answer
