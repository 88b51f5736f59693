# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The lines of a stream, each of bounded length."""

from collections.abc import Iterator
from io import BufferedReader
from typing import BinaryIO

_CHUNK_BYTES = 65_536
# A stack walk with a million frames; what is longer is no crash.
_LONGEST = 256 * 1024 * 1024


def available_lines(stream: BinaryIO) -> Iterator[list[bytes | None]]:
    """The lines as they come, as many at once as there are; None for one that is too long."""
    read = stream.read1 if isinstance(stream, BufferedReader) else stream.read
    begun: list[bytes] = []
    length = 0
    while chunk := read(_CHUNK_BYTES):
        first, *lines = chunk.split(b"\n")
        length += len(first)
        begun.append(first if length <= _LONGEST else b"")
        if lines:
            whole = b"".join(begun) if length <= _LONGEST else None
            begun, length = [lines[-1]], len(lines[-1])
            yield [whole, *lines[:-1]]
        elif length > _LONGEST:
            begun = []
    if length:
        yield [b"".join(begun) if length <= _LONGEST else None]


def too_long() -> str:
    """Say what is wrong with a line that was not given."""
    return f"the line is longer than {_LONGEST:,} bytes"
