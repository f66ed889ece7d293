"""Set up a checkout: ``python3 -m deploy.setup`` from its top folder, or ``make setup``.

Needs Python 3.11 or newer and nothing else. May be run again at any time; does only what is missing.
"""

import sys
from pathlib import Path

from deploy.setup import cargo, packages, rbspy, ruby, unsupported
from deploy.setup.console import SetupError, say


def main() -> int:
    """Run the steps in order. 0: done, also where an optional part cannot be had; 1: the product cannot run."""
    root = Path(__file__).resolve().parents[2]
    environment = root / ".venv"
    commands = environment / "bin"
    try:
        packages.ensure(root, environment)
        tool = cargo.find(commands)
        if tool is not None:
            cargo.put_wrapper(tool, commands)
        rbspy.ensure(commands, tool)
        ruby.ensure(root, commands)
        unsupported.ensure(root, commands)
    except (SetupError, OSError) as error:
        sys.stderr.write(f"setup stopped: {error}\n")
        return 1
    say("commands", f"pivotscope and pivotscope-agent are in {commands.relative_to(root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
