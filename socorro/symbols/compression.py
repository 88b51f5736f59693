# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Symbol files as they lie on disk: plain, gzipped, or compressed with zstd."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

MAGIC = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}
# What reading a broken file may raise, besides OSError.
BROKEN = (EOFError, zlib.error, zstandard.ZstdError)
# The stackwalker refuses a larger window, which would be held in memory.
_MAX_WINDOW = 128 * 2**20
# A block of some bytes may hold 128 KiB: this much input is some ten MiB at the most.
_PIECE = 512


def form_of(start: bytes) -> str:
    """Return the ending that says how a file is compressed, from its first four bytes."""
    return next((form for magic, form in MAGIC.items() if start.startswith(magic)), "")


def open_unpacked(path: Path, form: str) -> BinaryIO:
    """Open a file to read its content. Reading raises OSError and what BROKEN lists."""
    if form == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    if form == ".zst":
        return cast("BinaryIO", io.BufferedReader(_ZstdFile(path)))
    return path.open("rb")


class _ZstdFile(io.RawIOBase):
    """The content of a zstd file, one frame after another; one that breaks off is an EOFError."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._pieces = _pieces(self._file)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    frame = unpacker.decompressobj()
    fresh = True
    while piece := file.read(_PIECE):
        while piece:
            if frame.eof:
                frame = unpacker.decompressobj()
            yield frame.decompress(piece)
            fresh = False
            piece = frame.unused_data if frame.eof else b""
    if not fresh and not frame.eof:
        raise EOFError("it breaks off")
