from collections.abc import Callable
from pathlib import Path

import pytest
from pivotscope.profile.metric import MetricRole
from pivotscope.profile.window import Process
from pivotscope_agent.metrics.network import NetworkMeter, Traffic, parse_net_dev

HEAD = "Inter-|   Receive |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets\n"


def table(received: int, sent: int) -> str:
    loopback = "    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
    second = "  eth1:5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n"
    return f"{HEAD}{loopback}  eth0: {received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n{second}"


@pytest.fixture
def proc(tmp_path: Path) -> Callable[[int, str, str], Path]:
    def make(pid: int, namespace: str, text: str) -> Path:
        folder = tmp_path / str(pid)
        (folder / "ns").mkdir(parents=True, exist_ok=True)
        (folder / "net").mkdir(exist_ok=True)
        (folder / "ns" / "net").unlink(missing_ok=True)
        (folder / "ns" / "net").symlink_to(f"net:[{namespace}]")
        (folder / "net" / "dev").write_text(text)
        return tmp_path

    return make


def test_interfaces_are_added_up_without_loopback() -> None:
    assert parse_net_dev(table(100, 200)) == Traffic(105, 207)


@pytest.mark.parametrize("line", ["nothing", "eth0: 1 2 3", "eth0: a b c d e f g h i"])
def test_a_table_of_another_form_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_net_dev(HEAD + line)


def test_a_namespace_is_read_once_and_counted_from_the_first_look(
    proc: Callable[[int, str, str], Path], process: Callable[..., Process]
) -> None:
    root = proc(10, "77", table(1_000, 2_000))
    proc(11, "77", table(1_000, 2_000))
    meter = NetworkMeter(root)
    members = [process(10), process(11)]
    first = meter.read(members, 5)
    assert [(one.series.role, one.value, one.start_unix_ns) for one in first] == [
        (MetricRole.NETWORK_RECEIVED, 0, 5),
        (MetricRole.NETWORK_SENT, 0, 5),
    ]
    assert first[0].series.labels == (("network_namespace", "77"),)
    proc(10, "77", table(1_500, 2_001))
    assert [(one.value, one.start_unix_ns) for one in meter.read(members, 9)] == [(500, 5), (1, 5)]


def test_a_counter_that_went_back_begins_anew(
    proc: Callable[[int, str, str], Path], process: Callable[..., Process]
) -> None:
    root = proc(10, "77", table(1_000, 0))
    meter = NetworkMeter(root)
    meter.read([process(10)], 5)
    proc(10, "77", table(10, 0))
    point = meter.read([process(10)], 9)[0]
    assert (point.value, point.start_unix_ns) == (0, 5)


def test_services_that_share_a_namespace_are_named_together(
    proc: Callable[[int, str, str], Path], process: Callable[..., Process]
) -> None:
    root = proc(10, "77", table(1, 1))
    proc(11, "77", table(1, 1))
    points = NetworkMeter(root).read([process(10), process(11, service="orders")], 5)
    assert {one.series.service for one in points} == {"orders+shop"}


def test_a_process_that_is_gone_is_left_out(tmp_path: Path, process: Callable[..., Process]) -> None:
    assert NetworkMeter(tmp_path).read([process(10)], 5) == []
