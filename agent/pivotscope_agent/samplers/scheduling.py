"""How soon the kernel lets a sampler run when its time has come.

A sampler that must wait for a core sees the target when the target has just left one: on a busy host short bursts of
work go missing, and functions that block stand out. Linux 6.12 and later take a wish for a short time slice from any
process, which lets it run at once when it wakes; it gains no CPU by that. Older kernels ignore the wish.
"""

import ctypes
import os
import platform

SLICE_NS = 100_000
"""The shortest slice that the kernel grants (kernel/sched/syscalls.c: 0.1 ms to 100 ms)."""

_SYSTEM_CALLS = {"x86_64": 314, "aarch64": 274}
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """`struct sched_attr`, version 0; a fair policy takes its slice from `runtime`."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


_NUMBER = _SYSTEM_CALLS.get(platform.machine())
_FAIR = (os.SCHED_OTHER, os.SCHED_BATCH)


def run_soon() -> None:
    """Wish for a short slice for the calling thread and what it executes; a refusal changes nothing.

    Policy and niceness stay what the administrator gave the agent.
    """
    policy = os.sched_getscheduler(0)
    if _NUMBER is not None and policy in _FAIR:
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        wish = _Attributes(size=ctypes.sizeof(_Attributes), policy=policy, nice=nice, runtime=SLICE_NS)
        _LIBC.syscall(_NUMBER, 0, ctypes.byref(wish), 0)
