# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The begin of a request, gathered before it takes a thread.

A client that is slow to send its header, or a small body, waits in the worker's main loop, where it
costs a descriptor and a little memory. What is judged here is only whether enough has come, and
whether it is no HTTP at all; the parser judges the rest.
"""

import re
from dataclasses import dataclass

# Of a body, so much is waited for; a client that is slow beyond it takes a thread.
BODY_BEGIN = 16 * 1024

_END_OF_HEAD = b"\r\n\r\n"
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)
# A request line is printable ASCII; anything else is another protocol, which would wait for us.
_NO_REQUEST_LINE = re.compile(rb"[^\x20-\x7e\t\r]")
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True)
class HeadLimits:
    """Bounds of a request's head, in bytes."""

    request_line: int
    head: int


class Gathering:
    """Collects the bytes of one request until a thread is worth it.

    `refusal` names what is wrong when it is no request that the parser could end with.
    """

    def __init__(self, limits: HeadLimits) -> None:
        self.data = bytearray()
        self.refusal: str | None = None
        self.has_head = False
        self._limits = limits
        self._wanted = 0
        self._chunks_from: int | None = None
        self._searched = 0

    def add(self, data: bytes) -> bool:
        """Take some bytes; return whether it is time to go on: enough is here, or a refusal."""
        self.data += data
        if not self.has_head:
            self._look_for_head()
        return self.refusal is not None or (self.has_head and self._enough())

    def _look_for_head(self) -> None:
        # One empty line before a request is allowed.
        start = 2 if self.data.startswith(b"\r\n") else 0
        end = self.data.find(_END_OF_HEAD, max(start, self._searched - 3))
        if end < 0:
            self._judge_incomplete(start)
            self._searched = len(self.data)
            return
        if end - start > self._limits.head:
            self.refusal = "headers_too_large"
            return
        self.has_head = True
        self._find_length(end)

    def _judge_incomplete(self, start: int) -> None:
        line_end = self.data.find(b"\r\n", start)
        line = self.data[start : line_end if line_end >= 0 else len(self.data)]
        if len(line) > self._limits.request_line + 1:
            self.refusal = "request_line_too_long"
        elif line_end == start or _NO_REQUEST_LINE.search(line):
            self.refusal = "invalid_request_line"
        elif len(self.data) - start > self._limits.head:
            self.refusal = "headers_too_large"
        elif _BARE_LINE_FEED.search(self.data, self._searched):
            self.refusal = "invalid_header"

    def _find_length(self, end: int) -> None:
        """Find how many bytes are worth waiting for."""
        head = bytes(self.data[: end + 2])
        body = end + len(_END_OF_HEAD)
        if _EXPECT.search(head):
            # The client waits for us.
            self._wanted = body
        elif _CHUNKED.search(head):
            self._chunks_from = body - 2
            self._wanted = body + BODY_BEGIN
        else:
            length = _CONTENT_LENGTH.search(head)
            self._wanted = body + (min(int(length[1]), BODY_BEGIN) if length else 0)

    def _enough(self) -> bool:
        if len(self.data) >= self._wanted:
            return True
        # An empty line stands at the end of every chunked body, trailers or not.
        return (
            self._chunks_from is not None
            and self.data.find(_END_OF_HEAD, self._chunks_from + 2) >= 0
        )
