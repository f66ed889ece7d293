"""A process that was selected."""

from dataclasses import dataclass, field

from pivotscope.profile.window import Process

from pivotscope_agent.targets.container import Container
from pivotscope_agent.targets.runtime_kind import Runtime
from pivotscope_agent.targets.selector import Labels


@dataclass(frozen=True, slots=True)
class Target:
    """A selected process: how it is named on the wire, and what naming and sampling need to know of it.

    (`process.pid`, `start_ticks`) is its identity on this host. `working_folder` is where
    the process stands, as it sees it; `image` tells the program it runs from the next one that it executes.
    `view` are its root folder and mount namespace: processes of one view see the same files.
    A `newborn` process began when somebody was looking already: all that it used is known to be recent.
    """

    process: Process
    start_ticks: int
    runtime: Runtime
    labels: Labels
    working_folder: str = ""
    container: Container = field(default_factory=Container)
    image: tuple[int, int] = (0, 0)
    view: tuple[str, str] = ("", "")
    newborn: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """Pid and start: pids come back."""
        return self.process.pid, self.start_ticks
