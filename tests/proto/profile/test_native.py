import pytest
from pivotscope.profile.frame import Frame
from pivotscope.profile.native import Leaf, classify_leaf

LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"
PYTHON = "/opt/python/lib/libpython3.11.so.1.0"


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("clock_nanosleep", LIBC, Leaf.WAITING),
        ("__libc_recv", LIBC, Leaf.WAITING),
        ("epoll_wait", LIBC, Leaf.WAITING),
        ("pthread_cond_timedwait@@GLIBC_2.3.2", "/lib/libpthread.so.0", Leaf.WAITING),
        ("pthread_cond_timedwait", "/lib/libpthread-2.31.so", Leaf.WAITING),
        ("select", "/lib/ld-musl-x86_64.so.1", Leaf.WAITING),
        ("__write", LIBC, Leaf.NATIVE),
        ("memcpy", LIBC, Leaf.INTERPRETER),
        ("0x7fb46e64524a", LIBC, Leaf.INTERPRETER),
        ("pow", "/lib/libm.so.6", Leaf.INTERPRETER),
        ("long_add", PYTHON, Leaf.INTERPRETER),
        ("time_sleep", PYTHON, Leaf.INTERPRETER),
        ("_sre_SRE_Pattern_findall", PYTHON, Leaf.NATIVE),
        ("list_sort_impl", "/usr/bin/python3.11", Leaf.NATIVE),
        ("builtin_sorted", "/build/Python-3.11.7/Python/bltinmodule.c", Leaf.NATIVE),
        ("_Py_DECREF", "/build/Python-3.8.18/./Include/object.h", Leaf.INTERPRETER),
        ("zlib_compress", "/build/Python-3.11.7/Modules/clinic/zlibmodule.c.h", Leaf.NATIVE),
        ("encoder_call", "/build/Python-3.11.7/Modules/_json.c", Leaf.NATIVE),
        ("math_sqrt", "/build/Python-3.11.7/Modules/mathmodule.c", Leaf.INTERPRETER),
        ("0x7f00", "/opt/lib-dynload/math.cpython-311-x86_64-linux-gnu.so", Leaf.INTERPRETER),
        ("deflate", "/usr/lib/libz.so.1.2.13", Leaf.NATIVE),
        ("inner", "/srv/fast/pricing.pyx", Leaf.NATIVE),
        ("0x7f00", "?", Leaf.INTERPRETER),
    ],
)
def test_one_frame(name: str, path: str, expected: Leaf) -> None:
    assert classify_leaf([Frame(name, path, native=True)]) is expected


def test_waiting_beats_native_and_native_beats_the_interpreter() -> None:
    extension = Frame("dumps", "/srv/orjson.abi3.so", native=True)
    copy = Frame("memcpy", LIBC, native=True)
    wait = Frame("poll", LIBC, native=True)
    assert classify_leaf([extension, copy]) is Leaf.NATIVE
    assert classify_leaf([extension, wait, copy]) is Leaf.WAITING
    assert classify_leaf([copy]) is Leaf.INTERPRETER
