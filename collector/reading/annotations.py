# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The annotations of one report, as fields or as JSON, in whatever order they come."""

import codecs
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from collector.reading.body import CHUNK, Readable
from collector.reading.json_annotations import JsonReader
from collector.reading.multipart import Part
from collector.reading.notes import Notes
from collector.reading.spill import Memory, Spill, Spilled
from collector.refusal import Refused
from socorro.settings import Settings

# Names are not looked up in Python's registry, which would import modules by a client's words.
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}

# No multiple of the multipart reader's buffer, which would have it copied for each part.
_USUAL_SIZE = 4000
_MAX_NAME = 1024


class Annotations:
    """Collects annotations and merges them: a field wins over the JSON, the later over the earlier.

    Nothing that was sent is dropped without a note. What is large goes into the file that `spill`
    returns, so that memory is bounded.
    """

    def __init__(self, settings: Settings, notes: Notes, spill: Callable[[], Spill]) -> None:
        self._settings = settings
        self._notes = notes
        self._spill = spill
        self._memory = Memory()
        self._json_reader = JsonReader(
            notes, max_depth=settings.max_json_depth, max_digits=settings.max_json_digits
        )
        self._usual_size = min(_USUAL_SIZE, settings.max_annotation_size)
        self._fields: dict[str, Any] = {}
        self._json: dict[str, Any] = {}
        self._size = 0
        self.has_json = False

    @property
    def are_large(self) -> bool:
        """Whether they are better not made into one text in memory."""
        return self._memory.is_used_up

    def add_field(self, part: Part) -> None:
        """Take an annotation that is a part of its own. Raises Refused."""
        if self._add_usual(part):
            return
        name, charset = part.head.name, part.head.charset
        if not name:
            self._notes.add("an annotation without a name was left out")
            return
        limit = self._settings.max_annotation_size
        in_memory = min(limit, self._memory.left)
        data = _read_up_to(part.stream, in_memory + 1)
        value: str | Spilled | None
        if len(data) <= in_memory:
            self._memory.take(len(data))
            self._count(len(data))
            value = self._decode(data, charset)
        else:
            value = self._spilled(data, part, limit)
        if value is None:
            self._notes.add("extract payload text part exception: body part is too large")
            return
        name = self._name(name)
        self._count(len(name))
        self._memory.take_field_name(len(name))
        if name in self._fields:
            self._notes.add(f"{name} was sent more than once; the last one was kept")
        self._fields[name] = value

    def add_json(self, part: Part) -> None:
        """Take annotations that come as a JSON object. Raises Refused."""
        in_memory = self._memory.left
        data = _read_up_to(part.stream, in_memory + 1)
        if len(data) <= in_memory:
            self._memory.take(len(data))
            self._count(len(data))
            loaded = self._json_reader.read(data)
        else:
            pieces = self._counted(data, part.stream)
            loaded = self._json_reader.read_large(pieces, self._spill(), self._memory)
        if self.has_json:
            self._notes.add("includes several JSON parts, which were merged")
        self.has_json = True
        for name, value in loaded.items():
            if _size_of(value) > self._settings.max_annotation_size:
                self._notes.add("extract payload text part exception: body part is too large")
            else:
                self._json[self._name(name)] = value

    def merged(self) -> dict[str, Any]:
        """Return all annotations, some as `Spilled`. Raises Refused when there is none."""
        if self._json and self._fields:
            self._notes.add("includes annotations in both json-encoded extra and formdata parts")
        for name in self._json.keys() & self._fields.keys():
            if self._json[name] != self._fields[name]:
                self._notes.add(f"{name} was sent both ways; the formdata part was kept")
        self._json.update(self._fields)
        if not self._json:
            raise Refused("no_annotations")
        return self._json

    def _add_usual(self, part: Part) -> bool:
        """Take a field if it is as almost all are, which costs a fraction of looking at each case.

        That is: small, in UTF-8, and with a name of its own.
        """
        (name, _, _, charset), _, content = part
        if content is None or charset is not None or not name or name in self._fields:
            return False
        size = len(name) + len(content)
        if len(name) > _MAX_NAME or size > self._usual_size or not self._memory.take_at_once(size):
            return False
        try:
            self._fields[name] = content.decode()
        except UnicodeDecodeError:
            self._memory.give_back(size)
            return False
        self._count(size)
        return True

    def _name(self, name: str) -> str:
        if len(name) > _MAX_NAME:
            self._notes.add("a name of more than 1024 characters was cut")
        return name[:_MAX_NAME]

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._settings.max_annotations_size:
            raise Refused("annotations_too_large", 413)

    def _counted(self, data: bytes, stream: Readable) -> Iterator[bytes]:
        while data:
            self._count(len(data))
            yield data
            data = stream.read(CHUNK)

    def _spilled(self, data: bytes, part: Part, limit: int) -> Spilled | None:
        """Put a field into the spill; return None if it is larger than `limit`."""
        if len(data) > limit:
            return None
        spill = self._spill()
        begin = spill.file.size
        pieces = _Pieces(data, part.stream, limit)
        spilled = spill.add_text(self._texts(pieces, part.head.charset), self._memory)
        if pieces.size > limit:
            spill.file.shrink(begin)
            return None
        self._count(pieces.size)
        return spilled

    def _texts(self, pieces: Iterable[bytes], charset: str | None) -> Iterator[str]:
        """Yield a text as `_decode` reads it, in pieces."""
        encoding = _encoding_of(charset)
        errors = "strict" if encoding else "replace"
        if encoding is None:
            self._note_decoding(charset)
        codec = codecs.getincrementaldecoder(encoding or "utf-8")
        decoder = codec(errors)
        for piece in chain(pieces, [b""]):
            state = decoder.getstate()
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError:
                self._note_decoding(charset)
                decoder = codec("replace")
                decoder.setstate(state)
                text = decoder.decode(piece, final=not piece)
            yield text

    def _decode(self, data: bytes, charset: str | None) -> str:
        encoding = _encoding_of(charset)
        if encoding is not None:
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                pass
        self._note_decoding(charset)
        return data.decode(encoding or "utf-8", "replace")

    def _note_decoding(self, charset: str | None) -> None:
        self._notes.add(
            f"extract payload text part exception: invalid text or charset: {charset or 'utf-8'}"
        )


class _Pieces:
    """The pieces of a part up to the one with which it is larger than `limit`."""

    def __init__(self, begin: bytes, stream: Readable, limit: int) -> None:
        self.size = 0
        self._begin = begin
        self._stream = stream
        self._limit = limit

    def __iter__(self) -> Iterator[bytes]:
        piece = self._begin
        while piece:
            self.size += len(piece)
            yield piece
            piece = self._stream.read(CHUNK) if self.size <= self._limit else b""


def _encoding_of(charset: str | None) -> str | None:
    return _CHARSETS.get((charset or "utf-8").strip().lower())


def _size_of(value: Any) -> int:
    """Return about how many bytes an annotation in JSON has."""
    if isinstance(value, Spilled):
        return value.end - value.start
    return len(value) if isinstance(value, str) else 0


def _read_up_to(stream: Readable, limit: int) -> bytes:
    """Read a part; most annotations fit into the first read."""
    wanted = min(_USUAL_SIZE, limit)
    data = stream.read(wanted)
    if len(data) < wanted:
        return data
    chunks = [data]
    size = len(data)
    while size < limit and (chunk := stream.read(min(CHUNK, limit - size))):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)
