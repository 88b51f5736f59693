# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A client's connection that waits for its bytes, but not for ever."""

import socket
import struct
import time
from typing import Any

# More would be held in memory by each of many uploads.
_MAX_RECEIVE = 128 * 1024


class PatientSocket(socket.socket):
    """A connection whose reads end as if the client had closed when it is too slow.

    That is, when no byte comes for `idle` seconds, or when, `grace` seconds into a request, fewer
    than `min_rate` bytes a second came on average. `stalled` tells such an end from a real one.

    It always blocks: time limits are the kernel's, and the main loop reads with `receive_ready`.
    What that has read is handed to the parser through `prefill`, before anything that comes later.
    """

    idle = 30.0
    grace = 60.0
    min_rate = 1000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        super().setblocking(True)
        self.stalled = False
        self._began = time.monotonic()
        self._received = 0
        self._prefilled = b""
        self._wait = 0.0
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(self.idle))

    @classmethod
    def adopt(cls, connection: socket.socket) -> "PatientSocket":
        """Take over a connection; the other object is closed afterwards."""
        return cls(connection.family, connection.type, connection.proto, connection.detach())

    def setblocking(self, flag: bool, /) -> None:
        """Do nothing: see above. Gunicorn asks for it several times a request."""

    def begin_request(self, received: int) -> None:
        """Count time and bytes from here on, where `received` bytes of the request are here."""
        self.stalled = False
        self._began = time.monotonic()
        self._received = received

    def prefill(self, data: bytes) -> None:
        """Give these bytes to whoever reads next."""
        self._prefilled = data

    def take_prefilled(self) -> bytes:
        """Return what was prefilled and not read yet."""
        data, self._prefilled = self._prefilled, b""
        return data

    def receive_ready(self, size: int) -> bytes | None:
        """Return bytes that are here already, none at the end, None when nothing came.

        Raises OSError when the connection broke.
        """
        try:
            data = super().recv(size, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return None
        self._received += len(data)
        return data

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return bytes of the client, or none when it ended or was too slow. Raises OSError."""
        if self._prefilled:
            data = self._prefilled[:size]
            self._prefilled = self._prefilled[size:]
            return data
        if self.gettimeout() is not None:
            # Somebody else bounds this read: draining before a close.
            return super().recv(size, flags)
        wait = self.patience()
        if self.stalled or wait <= 0:
            self.stalled = True
            return b""
        self._limit_wait(wait)
        try:
            data = super().recv(min(size, _MAX_RECEIVE), flags)
        except BlockingIOError:
            self.stalled = True
            return b""
        self._received += len(data)
        return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all bytes. A client that does not take them counts as gone: BrokenPipeError."""
        try:
            super().sendall(data, flags)
        except BlockingIOError as error:
            raise BrokenPipeError("the client takes no answer") from error

    def patience(self) -> float:
        """Seconds to wait for the next byte; none or fewer when it is too late."""
        elapsed = time.monotonic() - self._began
        earned = self._received / self.min_rate if self.min_rate else float("inf")
        return min(self.idle, max(self.grace, earned) - elapsed)

    def _limit_wait(self, wait: float) -> None:
        """Have the kernel end a read after `wait` seconds; most often that is set already."""
        if wait != self._wait:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(wait))
            self._wait = wait


def _timeval(seconds: float) -> bytes:
    # Zero would mean no limit.
    microseconds = max(1, int(seconds * 1_000_000))
    return struct.pack("@ll", *divmod(microseconds, 1_000_000))
