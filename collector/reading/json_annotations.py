# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Annotations that come as one JSON object."""

import codecs
import json
import math
import mmap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from collector.reading.large_json import Member, Tokens, head_of_string, members_of
from collector.reading.notes import Notes
from collector.reading.spill import HEAD_SIZE, Memory, Spill, Spilled
from collector.refusal import Refused

# As long as a name may be in memory; who shows or stores it cuts it further.
_MAX_NAME = 16 * 1024
# Clients send texts. Another value of this size is built in memory to be checked.
_MAX_BUILT = 2 * 2**20


class JsonReader:
    """Reads annotations in JSON, within limits, into values ready to be stored as JSON again.

    Numbers that are not JSON (NaN, infinities, 1e999) are kept as their text, with a note.
    """

    def __init__(self, notes: Notes, *, max_depth: int, max_digits: int) -> None:
        self._max_depth = max_depth
        self._tokens = Tokens()
        self._decoder = json.JSONDecoder(
            parse_int=_integer_reader(max_digits),
            parse_float=_float_reader(notes),
            parse_constant=_constant_reader(notes),
        )

    def read(self, body: bytes) -> dict[str, Any]:
        """Return the object in a small JSON part.

        Raises Refused for what is not JSON, not an object, or beyond the limits.
        """
        try:
            text = body.decode(json.detect_encoding(body), "surrogatepass")
        except UnicodeDecodeError as error:
            raise Refused("invalid_json") from error
        loaded = self.value(text, 1)
        if not isinstance(loaded, dict):
            raise Refused("invalid_json_value")
        return loaded

    def value(self, text: str, depth: int) -> Any:
        """Return any value, which is `depth` deep itself if it holds others. Raises Refused."""
        try:
            loaded = self._decoder.decode(text)
        except (ValueError, RecursionError) as error:
            raise Refused("invalid_json") from error
        if _is_deeper(loaded, self._max_depth - depth + 1):
            raise Refused("invalid_json")
        return loaded

    def read_large(self, pieces: Iterable[bytes], spill: Spill, memory: Memory) -> dict[str, Any]:
        """Return the object in a large JSON part, its large values as `Spilled`.

        Raises Refused as `read` does, and for one that would take too much memory.
        """
        start = _write_as_utf8(pieces, spill)
        size = spill.file.size
        with mmap.mmap(spill.file.fileno(), size, access=mmap.ACCESS_READ) as text:
            loaded: dict[str, Any] = {}
            for member in self._members_of(text, start):
                memory.take_name(len(member.name))
                name = self.value(_decoded(member.name), 1)
                loaded[name] = self._member_value(text, member, spill, memory)
        return loaded

    def _members_of(self, text: mmap.mmap, start: int) -> Iterator[Member]:
        return members_of(
            text, start, max_depth=self._max_depth, max_name=_MAX_NAME, tokens=self._tokens
        )

    def _member_value(self, text: mmap.mmap, member: Member, spill: Spill, memory: Memory) -> Any:
        start, end = member.value_start, member.value_end
        if memory.take(end - start):
            return self.value(_decoded(text[start:end]), 2)
        if member.is_text:
            return Spilled(start, end, memory.head(head_of_string(text, start, HEAD_SIZE)))
        if end - start > _MAX_BUILT:
            raise Refused("annotations_too_large", 413)
        return spill.add_json(self.value(_decoded(text[start:end]), 2), memory)


def _write_as_utf8(pieces: Iterable[bytes], spill: Spill) -> int:
    """Write JSON in whatever encoding into the spill; return where it begins. Raises Refused."""
    start = spill.file.size
    decoder: codecs.IncrementalDecoder | None = None
    try:
        for piece in pieces:
            if decoder is None:
                encoding = json.detect_encoding(piece)
                decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
            spill.file.write(decoder.decode(piece).encode("utf-8", "surrogatepass"))
        if decoder is not None:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Refused("invalid_json") from error
    return start


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _is_deeper(value: Any, limit: int) -> bool:
    depth, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, dict | list)]:
        depth += 1
        if depth > limit:
            return True
        level = [
            inner
            for holder in level
            for inner in (holder.values() if isinstance(holder, dict) else holder)
        ]
    return False


def _integer_reader(max_digits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if len(text.lstrip("-")) > max_digits:
            raise ValueError("too many digits")
        return int(text)

    return read


def _float_reader(notes: Notes) -> Callable[[str], float | str]:
    def read(text: str) -> float | str:
        number = float(text)
        if math.isfinite(number):
            return number
        notes.add("a number that is too large was kept as text")
        return text

    return read


def _constant_reader(notes: Notes) -> Callable[[str], str]:
    def read(text: str) -> str:
        notes.add(f"{text} is not JSON and was kept as text")
        return text

    return read
