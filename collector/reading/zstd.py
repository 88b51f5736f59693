# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Frames of Zstandard (RFC 8878), inflated in bounded memory."""

import zstandard

_MAGIC = b"\x28\xb5\x2f\xfd"
# The last three bytes of a skippable frame's magic number; the first is 0x50 to 0x5f.
_SKIPPABLE = b"\x2a\x4d\x18"
# What RFC 8878 asks every decoder to support; a frame may ask for a thousand times more.
_MAX_WINDOW = 8 * 2**20
# The library returns all that it makes of its input at once, and four bytes can mean 128 KiB.
_PIECE = 256


class ZstdFrame:
    """A frame, with the interface of zlib's objects; `max_length` is exceeded by up to 8 MiB."""

    def __init__(self) -> None:
        self.unconsumed_tail = b""
        self._frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
        self._rest = b""

    @property
    def eof(self) -> bool:
        """Whether the end of the frame was reached."""
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        """What was given and lies behind the end of the frame."""
        return self._frame.unused_data + self._rest

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return about `max_length` bytes. Raises ValueError for what is no frame."""
        pieces: list[bytes] = []
        position = size = 0
        try:
            while position < len(data) and size < max_length and not self._frame.eof:
                inflated = self._frame.decompress(data[position : position + _PIECE])
                position += _PIECE
                size += len(inflated)
                pieces.append(inflated)
        except zstandard.ZstdError as error:
            raise ValueError("not a frame of Zstandard") from error
        self._keep(data[position:])
        return b"".join(pieces)

    def _keep(self, rest: bytes) -> None:
        if self._frame.eof:
            self._rest = rest
        else:
            self.unconsumed_tail = rest


def starts_zstd_frame(begin: bytes) -> bool:
    """Say whether a frame, perhaps one to skip, begins with these bytes, at least four."""
    skippable = begin[1:4] == _SKIPPABLE and begin[0] >> 4 == 5
    return begin.startswith(_MAGIC) or skippable
