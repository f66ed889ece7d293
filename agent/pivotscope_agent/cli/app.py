"""The console command `pivotscope-agent`."""

import os
import sys
from typing import NoReturn

from pivotscope_agent.errors import AgentError, SettingsError

REFUSED = 3


def main() -> NoReturn:
    """Run the command line. Exit codes: 0 fine, 1 a negative answer, 2 wrong use, 3 unreachable or refused."""
    # gRPC's fork handlers serve children that go on using it. Ours become samplers at once, and would pay for
    # them. The variable is read when gRPC is imported, so the commands are imported after it is set.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from pivotscope_agent.cli import commands  # noqa: PLC0415

    try:
        status = commands.main(sys.argv[1:])
    except SettingsError as problem:
        _fail(problem, commands.WRONG_USE)
    except AgentError as problem:
        _fail(problem, REFUSED)
    except KeyboardInterrupt:
        status = 1
    sys.exit(status)


def _fail(problem: AgentError, status: int) -> NoReturn:
    sys.stderr.write(f"pivotscope-agent: {problem}\n")
    sys.exit(status)
