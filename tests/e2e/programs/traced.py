"""Has itself traced by its parent: nobody else can attach to it."""

import ctypes
import sys
import time

PTRACE_TRACEME = 0

if ctypes.CDLL(None, use_errno=True).ptrace(PTRACE_TRACEME, 0, 0, 0) != 0:
    sys.exit("cannot be traced")
sys.stdout.write("ready\n")
sys.stdout.flush()
while True:
    time.sleep(0.1)
