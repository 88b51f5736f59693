# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Gunicorn's threaded worker, made safe against slow clients and lossless at its end."""

import socket
import time
from typing import Any

from gunicorn.http.errors import InvalidHeader, UnsupportedTransferCoding
from gunicorn.workers.gthread import TConn, ThreadWorker

from collector.request_body import body_of

# More would be held in memory by each of many uploads.
_MAX_RECEIVE = 128 * 1024


class PatientSocket(socket.socket):
    """A client's connection that waits for its bytes, but not for ever.

    Blocking reads end as if the client had closed when no byte comes for `idle` seconds, or when,
    `grace` seconds into a request, fewer than `min_rate` bytes a second came on average. `stalled`
    tells such an end from a real one. Gunicorn itself only bounds the time up to the first byte.
    """

    idle = 30.0
    grace = 60.0
    min_rate = 1000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stalled = False
        self._began = time.monotonic()
        self._received = 0

    @classmethod
    def adopt(cls, connection: socket.socket) -> "PatientSocket":
        """Take over a connection; the other object is closed afterwards."""
        return cls(connection.family, connection.type, connection.proto, connection.detach())

    def begin_request(self) -> None:
        """Count time and bytes from here on."""
        self.stalled = False
        self._began = time.monotonic()
        self._received = 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return bytes of the client, or none when it ended or was too slow."""
        if self.gettimeout() is not None:
            # Somebody else bounds this read: draining before a close.
            return super().recv(size, flags)
        wait = self._patience()
        if self.stalled or wait <= 0:
            self.stalled = True
            return b""
        self.settimeout(wait)
        try:
            data = super().recv(min(size, _MAX_RECEIVE), flags)
        except TimeoutError:
            self.stalled = True
            return b""
        finally:
            self.settimeout(None)
        self._received += len(data)
        return data

    def _patience(self) -> float:
        """Seconds to wait for the next byte."""
        elapsed = time.monotonic() - self._began
        earned = self._received / self.min_rate if self.min_rate else float("inf")
        return min(self.idle, max(self.grace, earned) - elapsed)


class CollectorWorker(ThreadWorker):  # type: ignore[misc]
    """The worker of the collector."""

    alive: bool

    def handle(self, conn: TConn) -> Any:
        """Serve a request with a patient connection."""
        # Exactly a plain socket: one wrapped for TLS cannot be taken over.
        if type(conn.sock) is socket.socket:
            conn.sock = PatientSocket.adopt(conn.sock)
        if isinstance(conn.sock, PatientSocket):
            conn.sock.begin_request()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Serve a request whose header is read; its body is not."""
        req.body = body_of(req, conn.sock)
        return super().handle_request(req, conn)

    def is_parent_alive(self) -> bool:
        """Begin to end when the master is gone: its successor needs the port at once."""
        parent_alive: bool = super().is_parent_alive()
        self.alive = self.alive and parent_alive
        return parent_alive

    def set_accept_enabled(self, enabled: bool) -> None:
        """Stop accepting when the worker ends, but only after taking those who wait already.

        Closing the listener resets the connections in its queue; so they are accepted first, and
        it is closed at once, since whoever connects later would wait in vain.
        """
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        for listener in self.sockets:
            self._accept_waiting(listener)
            listener.close()

    def _accept_waiting(self, listener: Any) -> None:
        before = -1
        # `accept` does nothing when nobody waits.
        while self.nr_conns != before:
            before = self.nr_conns
            self.accept(listener)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is no HTTP; an unknown transfer coding is the client's fault, not ours."""
        if isinstance(exc, UnsupportedTransferCoding):
            exc = InvalidHeader("Transfer-Encoding", req=req)
        super().handle_error(req, client, addr, exc)
