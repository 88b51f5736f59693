# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The body of a request as a stream within bounds."""

from collections.abc import Callable
from typing import Protocol

from gunicorn.http.errors import ParseException

from collector.refusal import Refused

CHUNK = 64 * 1024


class Readable(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


class Body:
    """Reads a request's body and refuses it when it is too large, cut off or stalled.

    `received` counts the bytes; `was_empty` is true once the end was reached without any.
    `length` is the Content-Length, or None when the body ends with the stream (chunked).
    `stalled` tells whether an end of the stream means that the server gave up on the client.
    """

    def __init__(
        self,
        source: Readable,
        length: int | None,
        max_size: int,
        stalled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.received = 0
        self.length = length
        self.was_empty = False
        self._source = source
        self._max_size = max_size
        self._stalled = stalled

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end. Raises Refused."""
        data = self._read_source(size)
        self.received += len(data)
        if self.received > self._max_size:
            raise Refused("body_too_large", 413)
        if not data:
            if self.length is not None and self.received < self.length:
                raise self._cut_off()
            self.was_empty = self.received == 0
        return data

    def read_to_end(self) -> None:
        """Read what is left, so that a body that was cut off is noticed. Raises Refused."""
        while self.read(CHUNK):
            pass

    def _read_source(self, size: int) -> bytes:
        if self.length is not None:
            size = min(size, self.length - self.received)
        if size <= 0:
            return b""
        try:
            data = self._source.read(size)
        except (OSError, ParseException) as error:
            # The connection broke, or the chunks of a chunked body are malformed.
            raise self._cut_off() from error
        return data

    def _cut_off(self) -> Refused:
        if self._stalled():
            return Refused("timeout", 408)
        return Refused("invalid_payload_structure")
