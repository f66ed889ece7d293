"""The wire between agent and collector, which can be cut, stalled and slowed down while it is used."""

import contextlib
import selectors
import socket
import struct
import threading
import time
from enum import StrEnum
from types import TracebackType
from typing import Self

_BLOCK = 16 * 1024


class Wire(StrEnum):
    """What the network does at the moment."""

    UP = "up"
    STALLED = "stalled"
    """Nothing arrives any more and nobody is told: a partition."""
    DOWN = "down"
    """Connections are reset, new ones at once."""


class Network:
    """Forwards TCP from a port of its own to another one, in a thread."""

    def __init__(self, to: tuple[str, int]) -> None:
        self.delay_s = 0.0
        self.cuts = 0
        self._to = to
        self._wire = Wire.UP
        self._cut_after = -1
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(10.0)
        for one in list(self._pairs):
            self._reset(one)
        self._listener.close()
        self._selector.close()

    @property
    def address(self) -> str:
        """Where agents connect to."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._pairs) // 2

    def set(self, wire: Wire) -> None:
        """Change what happens from now on."""
        self._wire = wire

    def cut_after(self, count: int) -> None:
        """Reset the next connection that sends data up, once so many bytes of it have passed."""
        self._cut_after = count

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._wire is Wire.DOWN:
                for one in list(self._pairs):
                    self._reset(one)
            for key, _ in self._selector.select(0.02):
                if key.fileobj is self._listener:
                    self._accept()
                elif self._wire is Wire.UP and isinstance(key.fileobj, socket.socket) and key.fileobj in self._pairs:
                    self._forward(key.fileobj, upwards=bool(key.data))
            if self._wire is not Wire.UP:
                self._ended.wait(0.02)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        if self._wire is Wire.DOWN:
            _close_hard(near)
            return
        try:
            far = socket.create_connection(self._to, timeout=5.0)
        except OSError:
            _close_hard(near)
            return
        for one, other, upwards in ((near, far, True), (far, near, False)):
            one.settimeout(5.0)
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ, upwards)

    def _forward(self, one: socket.socket, *, upwards: bool) -> None:
        other = self._pairs[one]
        try:
            data = one.recv(_BLOCK)
            if self.delay_s:
                time.sleep(self.delay_s)
            cut = upwards and data and 0 <= self._cut_after <= len(data)
            other.sendall(data[: self._cut_after] if cut else data)
        except OSError:
            data, cut = b"", False
        if cut:
            self._cut_after = -1
            self.cuts += 1
        elif upwards and self._cut_after > 0:
            self._cut_after -= len(data)
        if cut or not data:
            self._reset(one)

    def _reset(self, one: socket.socket) -> None:
        other = self._pairs.pop(one, None)
        for end in (one, other):
            if end is not None:
                self._pairs.pop(end, None)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(end)
                _close_hard(end)


def _close_hard(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
