# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Large annotations wait on disk, not in memory, as the JSON text that they are stored as."""

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any

from collector.reading.body import CHUNK
from collector.reading.spool_file import SpoolFile
from collector.refusal import Refused

# What all annotations of a report may take in memory; real reports have some 10 to 100 kB.
_MEMORY = 256 * 1024
# What values too small to be worth a way to the disk may take beyond that, together.
_SMALL = 1000
HEAD_SIZE = _SMALL
_SMALL_MEMORY = 2**20
# Names are always in memory: so many bytes, and so many more for each. Fields are counted anyhow.
_NAMES_MEMORY = 4 * 2**20
_NAME_COST = 80
_ENCODER = json.JSONEncoder(sort_keys=True, allow_nan=False)
# Stand-ins for what JSON gives a meaning, which no JSON string holds as they are.
_PROTECTED = (('"', "\x01"), ("\\", "\x02"))
_RESTORED = (("\\u0001", '"'), ("\\u0002", "\\"))


@dataclass(frozen=True)
class Spilled:
    """A value in the spill: JSON text in UTF-8 from byte `start` to before `end`.

    `head` is how the text begins for those who look at the annotation and do not store it.
    """

    start: int
    end: int
    head: str


class Memory:
    """What the annotations of one report may still take in memory."""

    def __init__(self) -> None:
        self.is_used_up = False
        self._left = _MEMORY
        self._small_left = _SMALL_MEMORY
        self._names_left = _NAMES_MEMORY

    @property
    def left(self) -> int:
        """Bytes that a value may have at most to be kept in memory now."""
        return max(self._left, min(_SMALL, self._small_left))

    def take(self, size: int) -> bool:
        """Reserve memory for a value of `size` bytes; say whether there is some."""
        if size <= self._left:
            self._left -= size
            return True
        self.is_used_up = True
        if size > min(_SMALL, self._small_left):
            return False
        self._small_left -= size
        return True

    def take_at_once(self, size: int) -> bool:
        """Reserve memory for a value with its name, as long as any is left for values."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """Undo `take_at_once`."""
        self._left += size

    def take_name(self, size: int) -> None:
        """Reserve memory for a name in JSON. Raises Refused if there is none."""
        self._names_left -= size + _NAME_COST
        self._left = max(0, self._left - size)
        if self._names_left < 0:
            raise Refused("annotations_too_large", 413)

    def take_field_name(self, size: int) -> None:
        """Reserve memory for the name of a field; so many fields there cannot be."""
        self.is_used_up = self.is_used_up or size > self._left
        self._left = max(0, self._left - size)

    def head(self, text: str) -> str:
        """Return the begin of a text that is spilled, as far as there is memory for it."""
        self.is_used_up = True
        head = text[: min(_SMALL, self._small_left)]
        self._small_left -= len(head)
        return head


class Spill:
    """The file that the large annotations of one report are in; it has no name."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file

    def add_text(self, pieces: Iterable[str], memory: Memory) -> Spilled:
        """Add a string that comes in pieces."""
        start = self.file.size
        self.file.write(b'"')
        head = ""
        for piece in pieces:
            head = head or memory.head(piece)
            self.file.write(encode_basestring_ascii(piece)[1:-1].encode("ascii"))
        self.file.write(b'"')
        return Spilled(start, self.file.size, head)

    def add_json(self, value: Any, memory: Memory) -> Spilled:
        """Add a value that is no string; nothing of it is for those who look."""
        start = self.file.size
        for piece in _gathered(piece.encode("ascii") for piece in _ENCODER.iterencode(value)):
            self.file.write(piece)
        return Spilled(start, self.file.size, memory.head(""))

    def text_of(self, spilled: Spilled) -> Iterator[bytes]:
        """Yield the JSON of a value in pieces, in ASCII."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        for piece in self.file.read(spilled.start, spilled.end):
            yield _ascii(decoder.decode(piece))


def json_pieces(
    values: Mapping[str, Any], spilled: Mapping[str, Spilled], spill: Spill
) -> Iterator[bytes]:
    """Return the JSON object of `values`, of which some are in the spill, in pieces.

    It is what `socorro.storage.encoding` makes of the same values.
    """
    return _gathered(_object_pieces(values, spilled, spill))


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(gathered)
            gathered.clear()
            size = 0
    yield b"".join(gathered)


def _object_pieces(
    values: Mapping[str, Any], spilled: Mapping[str, Spilled], spill: Spill
) -> Iterator[bytes]:
    before = b"{"
    for name in sorted(values):
        yield before + json.dumps(name).encode("ascii") + b": "
        before = b", "
        if name in spilled:
            yield from spill.text_of(spilled[name])
        else:
            yield json.dumps(values[name], sort_keys=True, allow_nan=False).encode("ascii")
    yield b"{}" if before == b"{" else b"}"


def _ascii(text: str) -> bytes:
    """Return a piece of a JSON string with escapes for what is not ASCII; the others stay."""
    if not text.isascii():
        # Only replacements of the whole are fast enough for millions of characters.
        for plain, stand_in in _PROTECTED:
            text = text.replace(plain, stand_in)
        text = encode_basestring_ascii(text)[1:-1]
        for escape, plain in _RESTORED:
            text = text.replace(escape, plain)
    return text.encode("ascii")
