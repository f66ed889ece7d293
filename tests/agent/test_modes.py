from collections import Counter

from pivotscope.profile.window import Mode
from pivotscope_agent.modes import base_of, mode_of
from pivotscope_agent.settings import PythonSettings, RubySettings


def modes(settings: PythonSettings | RubySettings) -> Counter[Mode]:
    return Counter(mode_of(window, settings) for window in range(24))


def test_every_fourth_window_is_active() -> None:
    assert modes(PythonSettings()) == modes(RubySettings()) == {Mode.ACTIVE: 6, Mode.GIL: 18}


def test_native_windows_do_not_take_the_place_of_active_ones() -> None:
    assert modes(PythonSettings(active_every=4, native_every=12)) == {Mode.ACTIVE: 6, Mode.GIL: 16, Mode.NATIVE: 2}


def test_one_mode_alone() -> None:
    assert modes(PythonSettings(active_every=1)) == modes(RubySettings(active_every=1)) == {Mode.ACTIVE: 24}
    assert modes(PythonSettings(active_every=0)) == modes(RubySettings(active_every=0)) == {Mode.GIL: 24}


def test_the_base_is_what_most_windows_take() -> None:
    assert base_of(PythonSettings()) is base_of(RubySettings()) is Mode.GIL
    assert base_of(PythonSettings(active_every=1)) is Mode.ACTIVE
