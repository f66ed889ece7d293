"""`pivotscope-agent doctor`."""

import asyncio
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import grpc
from grpc import aio
from pivotscope.profile.language import Language
from pivotscope.transport.files import CredentialsError
from pivotscope.v1.agent_pb2_grpc import AgentServiceStub

from pivotscope_agent import checks, privileges
from pivotscope_agent.checks import Check, State
from pivotscope_agent.cli.options import add_settings, settings_from
from pivotscope_agent.cli.output import Output, add_output, columns, document, say
from pivotscope_agent.pipeline.channel import Endpoint, call_metadata, open_channel, plainly
from pivotscope_agent.settings import Settings
from pivotscope_agent.targets.scan import Scanner

NEGATIVE = 1
ANSWER_S = 5.0


def add_options(parser: ArgumentParser) -> None:
    """What settings depend on, and the form of the answer."""
    add_settings(parser)
    add_output(parser)


def call(
    *,
    config: Path | None,
    select: list[str] | None,
    collector: str | None,
    token_file: Path | None,
    spool: Path | None,
    output: Output,
) -> int:
    """Check everything that the agent needs here, and say how to mend what is missing."""
    results = examine(settings_from(config, select, collector, token_file, spool))
    if output is Output.JSON:
        say(document([asdict(check) for check in results]))
    else:
        say(columns(("CHECK", "STATE", "FOUND"), [(check.name, check.state, check.found) for check in results]))
        for check in results:
            if check.fix and check.state is not State.OK:
                say(f"\n{check.name}: {check.fix}")
    return NEGATIVE if any(check.state is State.MISSING for check in results) else 0


def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which they are best mended."""
    scanner = Scanner(settings.selectors)
    scanner.scan()
    found, own, tls = scanner.targets, privileges.read(), settings.collector.tls
    return [
        checks.check_program("py-spy", settings.python.program, needed=True),
        checks.check_program("rbspy", settings.ruby.program, needed=checks.needs(found, Language.RUBY)),
        privileges.judge_tracing(own, reads=privileges.may_read_memory()),
        privileges.judge_targets(found, own),
        privileges.judge_least(own, privileges.users_of(found)),
        checks.check_spool(settings.spool),
        checks.check_http(settings.http),
        checks.check_secrets((settings.collector.token_file, tls.key if tls else None)),
        checks.check_clock(),
        asyncio.run(check_collector(settings.collector)),
    ]


async def check_collector(endpoint: Endpoint) -> Check:
    """Open a stream and close it without a word: a collector that accepts the token complains about that only."""
    try:
        metadata = call_metadata(endpoint)
        async with asyncio.timeout(ANSWER_S), open_channel(endpoint) as channel:
            call = AgentServiceStub(channel).Stream(None, metadata=aio.Metadata(*metadata))
            # Why it failed, where it did, is in its status.
            with suppress(aio.AioRpcError, aio.UsageError, asyncio.InvalidStateError):
                await call.wait_for_connection()
                await call.done_writing()
            code = await call.code()
            return judge_answer(endpoint.address, code, plainly(endpoint, await call.details() or ""))
    except CredentialsError as problem:
        return Check("collector", State.MISSING, str(problem), "name files that hold what is expected there")
    except TimeoutError:
        return judge_answer(endpoint.address, grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer within {ANSWER_S:g} s")


def judge_answer(address: str, code: grpc.StatusCode, details: str) -> Check:
    """What the status of that stream says."""
    if code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}:
        fix = "give the collector's token by --token-file or PIVOTSCOPE_TOKEN_FILE"
        return Check("collector", State.MISSING, f"{address} answers, but refuses the token: {details}", fix)
    if code in {grpc.StatusCode.OK, grpc.StatusCode.FAILED_PRECONDITION}:
        return Check("collector", State.OK, f"{address} answers and accepts the token")
    fix = "start it (`pivotscope collector serve`) or set --collector; meanwhile the spool keeps what is seen"
    return Check("collector", State.MISSING, f"{address} cannot be reached: {details or code.name}", fix)
