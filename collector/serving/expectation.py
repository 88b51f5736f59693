# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``Expect: 100-continue``: a client is asked for its body only when somebody wants to read it."""

from typing import Any


class AwaitedBody:
    """A body that the client holds back until it is `invited` by the first read.

    A request that is refused without that costs no upload; its connection is closed, since nobody
    knows whether the client sends the body all the same. `failed` tells gunicorn so.
    """

    def __init__(self, body: Any, request: Any, connection: Any) -> None:
        self.invited = False
        self._body = body
        self._request = request
        self._connection = connection
        self._must_close = request.must_close
        request.must_close = True

    @property
    def failed(self) -> bool:
        """Whether the connection cannot serve another request."""
        return not self.invited or self._body.failed

    def read(self, size: int, /) -> bytes:
        """Return some bytes, at most `size`, none at the end. Raises OSError, ParseException."""
        if not self.invited:
            self.invited = True
            self._request.must_close = self._must_close
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        data: bytes = self._body.read(size)
        return data
