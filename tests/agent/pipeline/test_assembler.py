from collections.abc import Callable

from pivotscope.profile.window import Window
from pivotscope_agent.pipeline.assembler import Assembler


def test_items_wait_for_others_but_not_longer_than_told(window: Callable[..., Window]) -> None:
    assembler = Assembler(wait_ns=1_000)
    assert assembler.remaining_ns(0) is None
    assembler.add([window()], 5_000)
    assembler.add([window()], 5_900)
    assert assembler.remaining_ns(5_900) == 100
    assert assembler.remaining_ns(7_000) == 0
    assert len(assembler.take()) == 2
    assert assembler.remaining_ns(7_000) is None


def test_enough_items_do_not_wait(window: Callable[..., Window]) -> None:
    assembler = Assembler(wait_ns=1_000, enough=2)
    assembler.add([window(), window()], 0)
    assert assembler.remaining_ns(0) == 0


def test_a_backlog_gives_up_the_oldest(window: Callable[..., Window]) -> None:
    assembler = Assembler(most=2)
    kept = [window(ticks=number) for number in (2, 3)]
    oldest = window(ticks=1)
    assert assembler.add([oldest, *kept], 0) == [oldest]
    assert assembler.take() == kept
