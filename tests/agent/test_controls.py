from pivotscope_agent.controls import Controls


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
