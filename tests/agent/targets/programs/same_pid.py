"""Starts a program, ends it, and starts another with the same pid; says what a scan tells of it.

To be run as the first process of a pid namespace.
"""

import subprocess
import sys
from pathlib import Path

from pivotscope_agent.targets.scan import Scanner
from pivotscope_agent.targets.selector import Selector

WAIT = "print('ready', flush=True); import sys; sys.stdin.read()"


def start() -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


first = start()
scan = Scanner((Selector(pid=first.pid),), host="here", own_pid=-1)
(before,) = scan.scan().found
first.kill()
first.wait()
Path("/proc/sys/kernel/ns_last_pid").write_text(str(first.pid - 1))
second = start()
assert second.pid == first.pid
changes = scan.scan()
(after,) = changes.found
assert changes.ended == (before.key,)
assert before.key != after.key
second.kill()
second.wait()
sys.stdout.write("the first has ended, the second is found\n")
