# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Compressed bodies, inflated as a stream within bounds."""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from collector.reading.body import CHUNK, Body
from collector.reading.zstd import ZstdFrame, starts_zstd_frame
from collector.refusal import Refused
from socorro.metrics import METRICS

# Real writers make a member per block of 64 KiB or more; millions of empty ones are an attack.
_MAX_MEMBERS = 10_000
# As many bytes as are needed to see what begins.
_BEGIN = 4


class Member(Protocol):
    """One compressed stream of a body, such as a gzip member; as zlib's objects are."""

    @property
    def eof(self) -> bool:
        """Whether its end was reached."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was given and lies behind its end."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """What was given and is to be given again."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return some bytes. Raises ValueError or zlib.error."""
        ...


@dataclass(frozen=True)
class Format:
    """A format of compression: how members begin, and the reason to refuse what is none.

    `opens` makes the member that begins with these bytes; `follows` says whether they begin
    another one after the first.
    """

    reason: str
    opens: Callable[[bytes], Member]
    follows: Callable[[bytes], bool]


class InflatingReader:
    """Inflates a body of one or several members; what follows the last one is ignored.

    `max_size` bounds what comes out, and `max_ratio` too, as a multiple of what was sent, once
    more than `ratio_from` bytes are out.
    """

    def __init__(
        self, body: Body, form: Format, *, max_size: int, max_ratio: int, ratio_from: int
    ) -> None:
        self.inflated = 0
        self._body = body
        self._format = form
        self._max_size = max_size
        self._max_ratio = max_ratio
        self._ratio_from = ratio_from
        self._member: Member | None = None
        self._members = 0
        self._waiting = b""
        self._ready = b""
        self._ended = False
        self._seconds = 0.0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end. Raises Refused."""
        while not self._ready and not self._ended and size > 0:
            self._ready = self._inflate(size)
            self._count(len(self._ready))
        if len(self._ready) <= size:
            data, self._ready = self._ready, b""
        else:
            data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def read_to_end(self) -> None:
        """Read what is left, so that a truncated body is noticed. Raises Refused."""
        while self.read(CHUNK):
            pass
        self._body.read_to_end()
        self._measure("success")

    def _inflate(self, size: int) -> bytes:
        member = self._member or self._open_first()
        data = self._waiting or self._body.read(CHUNK)
        if not data:
            raise self._refused()
        began = time.perf_counter()
        try:
            inflated = member.decompress(data, size)
        except (zlib.error, ValueError) as error:
            raise self._refused() from error
        self._seconds += time.perf_counter() - began
        self._waiting = member.unconsumed_tail
        if member.eof:
            self._open_next(member.unused_data)
        return inflated

    def _open_first(self) -> Member:
        begin = self._beginning(b"")
        if not begin:
            raise self._refused()
        return self._open(begin)

    def _open_next(self, rest: bytes) -> None:
        """Go on with the member after the one that just ended, if there is one."""
        rest = self._beginning(rest)
        if not self._format.follows(rest):
            self._ended = True
            return
        if self._members >= _MAX_MEMBERS:
            raise self._refused()
        self._open(rest)

    def _beginning(self, rest: bytes) -> bytes:
        while len(rest) < _BEGIN and (more := self._body.read(CHUNK)):
            rest += more
        return rest

    def _open(self, begin: bytes) -> Member:
        self._members += 1
        self._waiting = begin
        self._member = self._format.opens(begin)
        return self._member

    def _refused(self) -> Refused:
        self._measure("fail")
        return Refused(self._format.reason)

    def _measure(self, result: str) -> None:
        METRICS.histogram(
            "collector.breakpad_resource.gzipped_crash_decompress",
            1000 * self._seconds,
            tags=[f"result:{result}"],
        )

    def _count(self, size: int) -> None:
        self.inflated += size
        if self.inflated > self._max_size:
            raise Refused("inflated_too_large", 413)
        # What is still to come counts as sent: dumps often begin with long runs of zeros.
        sent = max(self._body.received, self._body.length or 0)
        if self.inflated > self._ratio_from and self.inflated > self._max_ratio * sent:
            raise Refused("inflated_too_large", 413)


def _open_deflate(begin: bytes) -> Member:
    """Return the member for deflate with or without zlib's header, since clients send both."""
    wrapped = (
        len(begin) > 1
        and begin[0] & 0x0F == zlib.DEFLATED
        and begin[0] >> 4 <= zlib.MAX_WBITS - 8
        and int.from_bytes(begin[:2], "big") % 31 == 0
    )
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


_GZIP = Format(
    "bad_gzip",
    opens=lambda _: zlib.decompressobj(16 + zlib.MAX_WBITS),
    follows=lambda begin: begin.startswith(b"\x1f\x8b"),
)
_DEFLATE = Format("bad_deflate", opens=_open_deflate, follows=lambda _: False)
_ZSTD = Format("bad_zstd", opens=lambda _: ZstdFrame(), follows=starts_zstd_frame)

FORMATS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE, "zstd": _ZSTD}
