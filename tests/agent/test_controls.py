from pivotscope.profile.window import Mode
from pivotscope_agent.controls import FACTS_EVERY_S, Controls
from pivotscope_agent.pipeline.control import DesiredState, FactsWanted, ServiceState


class MovedClock:
    def __init__(self) -> None:
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def unix_ns(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def test_rates_by_service_win_over_the_rate_of_all() -> None:
    controls = Controls(MovedClock(), 100)
    assert controls.rate("shop", 10) == 10
    controls.set_rate("", 20)
    controls.set_rate("shop", 5)
    assert (controls.rate("shop", 10), controls.rate("other", 10)) == (5, 20)
    controls.set_rate("shop", 0)
    assert controls.rate("shop", 10) == 20


def test_the_agents_own_limit_wins() -> None:
    controls = Controls(MovedClock(), 100)
    controls.set_rate("shop", 1000)
    assert controls.rate("shop", 10) == 100


def test_a_pause_ends_by_itself() -> None:
    clock = MovedClock()
    controls = Controls(clock, 100)
    controls.pause("shop", 5)
    assert controls.paused("shop")
    assert not controls.paused("other")
    clock.now_ns = 5_000_000_000
    assert not controls.paused("shop")


def test_a_pause_without_end_lasts_until_resumed() -> None:
    clock = MovedClock()
    controls = Controls(clock, 100)
    controls.pause("", 0)
    clock.now_ns = 10**18
    assert controls.paused("shop")
    controls.resume("shop")
    assert controls.paused("shop")
    controls.resume("")
    assert not controls.paused("shop")


def test_a_desired_state_replaces_everything_that_was_asked_before() -> None:
    controls = Controls(MovedClock(), 100)
    controls.set_rate("old", 5)
    controls.pause("old", 0)
    controls.replace(
        DesiredState(
            (
                ServiceState("", rate_hz=20),
                ServiceState("shop", rate_hz=500, paused=True, pause_seconds=5, max_targets=2, note="ana: release"),
            )
        )
    )
    assert (controls.rate("old", 10), controls.paused("old"), controls.max_targets("old")) == (20, "", 0)
    assert (controls.rate("shop", 10), controls.max_targets("shop")) == (100, 2)
    assert controls.paused("shop") == "paused by the collector: ana: release"
    assert controls.rate_reason("shop") == "100 Hz: this agent's highest; the collector asks for 500"
    assert controls.rate_reason("old") == "20 Hz: the collector asks for it"
    controls.replace(DesiredState())
    assert (controls.rate("shop", 10), controls.paused("shop"), controls.rate_reason("shop")) == (10, "", "")


def test_a_pause_that_is_told_again_ends_when_it_says() -> None:
    clock = MovedClock()
    controls = Controls(clock, 100)
    controls.replace(DesiredState((ServiceState("shop", paused=True, pause_seconds=60),)))
    clock.now_ns = 50 * 10**9
    controls.replace(DesiredState((ServiceState("shop", paused=True, pause_seconds=10),)))
    assert controls.paused("shop")
    clock.now_ns = 60 * 10**9
    assert not controls.paused("shop")


def test_modes_that_are_left_out_are_replaced_by_one_that_is_allowed() -> None:
    controls = Controls(MovedClock(), 100)
    controls.replace(DesiredState((ServiceState("shop", modes=frozenset({Mode.GIL})),)))
    assert controls.mode("shop", Mode.ACTIVE, (Mode.GIL, Mode.ACTIVE)) is Mode.GIL
    assert controls.mode("shop", Mode.ACTIVE) is None
    assert controls.mode("other", Mode.ACTIVE) is Mode.ACTIVE


def test_facts_are_read_once_for_each_time_of_asking_and_not_too_often() -> None:
    clock = MovedClock()
    controls = Controls(clock, 100)

    def asked(at: int) -> list[str]:
        return controls.replace(DesiredState(facts=(FactsWanted("shop", at),)))

    assert (asked(1), asked(1), asked(2)) == (["shop"], [], [])
    clock.now_ns = FACTS_EVERY_S * 10**9
    assert (asked(2), asked(2)) == (["shop"], [])
