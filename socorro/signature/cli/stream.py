# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash data in, results out, a line for each line."""

import json
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, BinaryIO, TextIO

from socorro.signature.cli.reading import BadDocument, parse_object
from socorro.signature.cli.signing import Signing
from socorro.signature.errors import CrashDataError

_CHUNK_BYTES = 65_536
# The crash data of a stack walk with a million frames; what is longer is no crash.
_MAX_LINE_BYTES = 256 * 1024 * 1024


def sign_stream(stream: BinaryIO, output: TextIO, signing: Signing, *, verbose: bool) -> None:
    """Answer each line. All lines that are there are answered before the answers are sent."""
    for lines in _available_lines(stream):
        for line in lines:
            output.write(json.dumps(_answer(line, signing, verbose)))
            output.write("\n")
        output.flush()


def _answer(line: bytes | None, signing: Signing, verbose: bool) -> dict[str, Any]:
    if line is None:
        return {"error": f"the line is longer than {_MAX_LINE_BYTES:,} bytes"}
    try:
        return signing.sign(parse_object(line)).document(verbose=verbose)
    except (BadDocument, CrashDataError) as error:
        return {"error": str(error)}


def _available_lines(stream: BinaryIO) -> Iterator[list[bytes | None]]:
    """The lines as they come, as many at once as there are; None for one that is too long."""
    read = stream.read1 if isinstance(stream, BufferedReader) else stream.read
    begun: list[bytes] = []
    length = 0
    while chunk := read(_CHUNK_BYTES):
        first, *lines = chunk.split(b"\n")
        length += len(first)
        begun.append(first if length <= _MAX_LINE_BYTES else b"")
        if lines:
            whole = b"".join(begun) if length <= _MAX_LINE_BYTES else None
            begun, length = [lines[-1]], len(lines[-1])
            yield [whole, *lines[:-1]]
        elif length > _MAX_LINE_BYTES:
            begun = []
    if length:
        yield [b"".join(begun) if length <= _MAX_LINE_BYTES else None]
