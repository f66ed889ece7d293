"""Selectors: which processes are asked for, and what the configuration says of them."""

import pwd
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Labels:
    """What a process belongs to. Empty fields are not said here and are looked for elsewhere.

    `root` is the codebase's folder as the process sees it.
    """

    service: str = ""
    environment: str = ""
    version: str = ""
    variant: str = ""
    instance: str = ""
    codebase: str = ""
    root: str = ""


@dataclass(frozen=True, slots=True)
class Selector:
    """A process is selected when every condition that is given holds.

    `cmdline` is searched for in the arguments joined by blanks; `env` is NAME=VALUE, or NAME for any
    value that is not empty; `user` is a name or a number; `cgroup` is a part of the group's path; `tree` is the
    pid of a process that is meant with everything it starts.
    """

    cmdline: re.Pattern[str] | None = None
    env: str = ""
    user: str = ""
    cgroup: str = ""
    pid: int = 0
    tree: int = 0
    labels: Labels = field(default_factory=Labels)

    def __str__(self) -> str:
        """The conditions as a person would write them."""
        conditions = {
            "cmdline": self.cmdline.pattern if self.cmdline else "",
            "env": self.env,
            "user": self.user,
            "cgroup": self.cgroup,
            "pid": str(self.pid or ""),
            "tree": str(self.tree or ""),
        }
        return " ".join(f"{name}={value}" for name, value in conditions.items() if value)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is read of a process in order to select and name it. `ancestors` are pids, its own among them."""

    pid: int
    cmdline: tuple[str, ...]
    environ: Mapping[str, str]
    user_id: int
    cgroup: str
    ancestors: frozenset[int] = frozenset()


OPT_IN = (Selector(env="PIVOTSCOPE_SERVICE"),)
"""Used where the configuration has no selector: processes that name their service for Pivotscope themselves."""


def first_match(candidate: Candidate, selectors: Iterable[Selector]) -> Selector | None:
    """The first selector whose conditions all hold."""
    return next((selector for selector in selectors if matches(candidate, selector)), None)


def matches(candidate: Candidate, selector: Selector) -> bool:
    """Whether every condition of the selector holds; one without conditions selects nothing."""
    checks: list[bool] = []
    if selector.pid:
        checks.append(candidate.pid == selector.pid)
    if selector.tree:
        checks.append(selector.tree in candidate.ancestors)
    if selector.cmdline is not None:
        checks.append(selector.cmdline.search(" ".join(candidate.cmdline)) is not None)
    if selector.env:
        name, sign, value = selector.env.partition("=")
        found = candidate.environ.get(name, "")
        checks.append(found == value if sign else bool(found))
    if selector.user:
        checks.append(selector.user in {str(candidate.user_id), _user_name(candidate.user_id)})
    if selector.cgroup:
        checks.append(selector.cgroup in candidate.cgroup)
    return bool(checks) and all(checks)


def _user_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return ""
