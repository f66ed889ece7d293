"""Which mode the windows of a process take, one after the other."""

from pivotscope.profile.window import Mode

from pivotscope_agent.settings import PythonSettings, RubySettings


def mode_of(window: int, settings: PythonSettings | RubySettings) -> Mode:
    """The mode of the `window`-th window of a process.

    One window in `native_every` reads native frames and one in `active_every` sees every running thread; all others
    see who holds the lock, which counts no thread that sleeps. Native comes half a round after active so that both
    come about.
    """
    native_every = settings.native_every if isinstance(settings, PythonSettings) else 0
    if native_every and window % native_every == native_every // 2:
        return Mode.NATIVE
    if settings.active_every and window % settings.active_every == 0:
        return Mode.ACTIVE
    return Mode.GIL


def base_of(settings: PythonSettings | RubySettings) -> Mode:
    """The mode that most windows take, and that others give way to where budgets are short."""
    return Mode.ACTIVE if settings.active_every == 1 else Mode.GIL
