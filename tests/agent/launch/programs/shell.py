"""What a shell does with one job: a process group of its own in the foreground; continued when it stops.

shell.py COMMAND…
"""

import os
import signal
import sys


def say(text: str) -> None:
    sys.stdout.write(f"shell: {text}\n")
    sys.stdout.flush()


def main() -> None:
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - it is the shell
    os.setpgid(job, job)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(status):
            break
        say("stopped")
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
        say("continued")
    say(f"ended with {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
