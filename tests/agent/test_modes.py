from collections import Counter

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode
from pivotscope_agent.modes import mode_of
from pivotscope_agent.settings import PythonSettings


def modes(settings: PythonSettings, language: Language = Language.PYTHON) -> Counter[Mode]:
    return Counter(mode_of(language, window, settings) for window in range(24))


def test_every_fourth_window_is_active() -> None:
    assert modes(PythonSettings()) == {Mode.ACTIVE: 6, Mode.GIL: 18}


def test_native_windows_do_not_take_the_place_of_active_ones() -> None:
    assert modes(PythonSettings(active_every=4, native_every=12)) == {Mode.ACTIVE: 6, Mode.GIL: 16, Mode.NATIVE: 2}


def test_one_mode_alone() -> None:
    assert modes(PythonSettings(active_every=1)) == {Mode.ACTIVE: 24}
    assert modes(PythonSettings(active_every=0)) == {Mode.GIL: 24}


def test_ruby_has_one_mode() -> None:
    assert modes(PythonSettings(native_every=2), Language.RUBY) == {Mode.ACTIVE: 24}
