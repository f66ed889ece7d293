"""What the demo says while it runs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Console:
    """Headings, lines and progress; a bar on a terminal, a line in a pipe."""

    def __init__(self) -> None:
        self._console = RichConsole(highlight=False, soft_wrap=True)

    def step(self, text: str) -> None:
        """A heading."""
        self._console.print(f"\n[bold]{text}[/bold]")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, markup=False)
        sys.stdout.flush()

    @contextmanager
    def progress(self, text: str, total: float) -> Iterator[Callable[[float], None]]:
        """A bar that takes the seconds done; where there is no terminal, one line at the start."""
        if not self._console.is_terminal:
            self.say(f"{text} ({total:.0f} s) …")
            yield lambda _done: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(text, total=total)
            yield lambda done: bar.update(task, completed=done)
        self.say(f"{text}: done.")
