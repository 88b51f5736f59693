# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Gzip bodies, inflated as a stream within bounds."""

import zlib

from collector.body import CHUNK, Body
from collector.refusal import Refused

_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"
# Real writers make a member per block of 64 KiB or more; millions of empty ones are an attack.
_MAX_MEMBERS = 10_000


class GzipReader:
    """Inflates a body of one or several gzip members; what follows the last one is ignored.

    `max_size` bounds what comes out, and `max_ratio` too, as a multiple of what was sent, once
    more than `ratio_from` bytes are out.
    """

    def __init__(self, body: Body, *, max_size: int, max_ratio: int, ratio_from: int) -> None:
        self.inflated = 0
        self._body = body
        self._max_size = max_size
        self._max_ratio = max_ratio
        self._ratio_from = ratio_from
        self._member = zlib.decompressobj(_GZIP)
        self._members = 1
        self._waiting = b""
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end. Raises Refused."""
        while not self._ended and size > 0:
            data = self._waiting or self._body.read(CHUNK)
            if not data:
                raise Refused("bad_gzip")
            inflated = self._inflate(data, size)
            if self._member.eof:
                self._start_next_member()
            if inflated:
                self._count(len(inflated))
                return inflated
        return b""

    def read_to_end(self) -> None:
        """Read what is left, so that a truncated body is noticed. Raises Refused."""
        while self.read(CHUNK):
            pass
        self._body.read_to_end()

    def _inflate(self, data: bytes, size: int) -> bytes:
        try:
            inflated = self._member.decompress(data, size)
        except zlib.error as error:
            raise Refused("bad_gzip") from error
        self._waiting = self._member.unconsumed_tail
        return inflated

    def _start_next_member(self) -> None:
        """Go on with the member after the one that just ended, if there is one."""
        rest = self._member.unused_data
        while len(rest) < len(_MAGIC):
            more = self._body.read(CHUNK)
            if not more:
                break
            rest += more
        if not rest.startswith(_MAGIC):
            self._ended = True
            return
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise Refused("bad_gzip")
        self._member = zlib.decompressobj(_GZIP)
        self._waiting = rest

    def _count(self, size: int) -> None:
        self.inflated += size
        if self.inflated > self._max_size:
            raise Refused("inflated_too_large", 413)
        # What is still to come counts as sent: dumps often begin with long runs of zeros.
        sent = max(self._body.received, self._body.length or 0)
        if self.inflated > self._ratio_from and self.inflated > self._max_ratio * sent:
            raise Refused("inflated_too_large", 413)
