from collections.abc import Callable

import pytest
from pivotscope.profile.language import Language
from pivotscope.profile.metric import MetricRole
from pivotscope.profile.window import Process
from pivotscope_agent.metrics.config import EndpointRule, SeriesRule
from pivotscope_agent.metrics.source import Source, resolve


@pytest.fixture
def process() -> Callable[..., Process]:
    def make(pid: int = 10, started: int = 1_000_000_000, **changes: str) -> Process:
        values = {
            "service": "shop",
            "environment": "production",
            "version": "1",
            "variant": "",
            "instance": f"shop-{pid}",
            "host": "node",
        }
        return Process(**(values | changes), pid=pid, started_unix_ns=started, language=Language.PYTHON)

    return make


@pytest.fixture
def rule() -> Callable[..., EndpointRule]:
    def make(*series: SeriesRule, **changes: object) -> EndpointRule:
        chosen = series or (SeriesRule("requests", MetricRole.REQUESTS),)
        return EndpointRule("http://127.0.0.1:8000/metrics", chosen, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def source(process: Callable[..., Process], rule: Callable[..., EndpointRule]) -> Callable[..., Source]:
    """The page of a rule, answered by as many processes as asked for."""

    def make(
        *series: SeriesRule, processes: int = 1, first_pid: int = 10, started: int = 1_000_000_000, **changes: object
    ) -> Source:
        members = [process(first_pid + n, started + n) for n in range(processes)]
        return resolve([rule(*series, **changes)], members)[0]

    return make
