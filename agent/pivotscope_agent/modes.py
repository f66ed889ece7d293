"""Which mode the windows of a process take, one after the other."""

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_agent.settings import PythonSettings


def mode_of(language: Language, window: int, python: PythonSettings) -> Mode:
    """The mode of the `window`-th window of a process.

    Ruby has one mode. In Python, one window in `native_every` reads native frames and one in
    `active_every` sees every running thread; all others see who holds the lock, which counts no
    thread that sleeps. Native comes half a round after active so that both come about.
    """
    if language is Language.RUBY:
        return Mode.ACTIVE
    if python.native_every and window % python.native_every == python.native_every // 2:
        return Mode.NATIVE
    if python.active_every and window % python.active_every == 0:
        return Mode.ACTIVE
    return Mode.GIL


def base_of(language: Language, python: PythonSettings) -> Mode:
    """The mode that most windows take, and that others give way to where budgets are short."""
    return Mode.ACTIVE if language is Language.RUBY or python.active_every == 1 else Mode.GIL
