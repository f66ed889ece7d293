from collections.abc import Callable

from pivotscope.profile.window import Process
from pivotscope_agent.metrics.config import EndpointRule
from pivotscope_agent.metrics.source import resolve


def test_workers_behind_one_port_share_a_page(
    process: Callable[..., Process], rule: Callable[..., EndpointRule]
) -> None:
    (page,) = resolve([rule()], [process(11, 5), process(10, 3)])
    assert [one.pid for one in page.processes] == [10, 11]
    assert page.started_unix_ns == 3
    assert page.instance == "node:8000"
    assert page.version == "1"


def test_one_process_keeps_its_instance(process: Callable[..., Process], rule: Callable[..., EndpointRule]) -> None:
    (page,) = resolve([rule()], [process(10)])
    assert page.instance == "shop-10"


def test_a_page_a_process_by_placeholder(process: Callable[..., Process]) -> None:
    rule = EndpointRule("http://{host}:{port}/{pid}", (), port=90)
    urls = {page.url for page in resolve([rule], [process(10), process(11)])}
    assert urls == {"http://node:90/10", "http://node:90/11"}


def test_what_processes_do_not_agree_on_stays_empty(
    process: Callable[..., Process], rule: Callable[..., EndpointRule]
) -> None:
    (page,) = resolve([rule()], [process(10, variant="a"), process(11, variant="b")])
    assert page.variant == ""


def test_a_rule_reads_only_its_service(process: Callable[..., Process], rule: Callable[..., EndpointRule]) -> None:
    assert not resolve([rule(service="orders")], [process(10)])
    assert len(resolve([rule(service="shop")], [process(10)])) == 1
