# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The annotations of one report, as fields or as JSON, in whatever order they come."""

from typing import Any

from collector.body import CHUNK, Readable
from collector.json_annotations import parse_json_annotations
from collector.multipart import Part
from collector.notes import Notes
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


class Annotations:
    """Collects annotations and merges them: a field wins over the JSON, the later over the earlier.

    Nothing that was sent is dropped without a note.
    """

    def __init__(self, settings: Settings, notes: Notes) -> None:
        self._settings = settings
        self._notes = notes
        self._fields: dict[str, Any] = {}
        self._json: dict[str, Any] = {}
        self._size = 0
        self.has_json = False

    def add_field(self, part: Part) -> None:
        """Take an annotation that is a part of its own. Raises Refused."""
        if not part.name:
            self._notes.add("an annotation without a name was left out")
            return
        limit = self._settings.max_annotation_size
        data = _read_up_to(part.stream, limit + 1)
        if len(data) > limit:
            self._notes.add("extract payload text part exception: body part is too large")
            return
        self._count(len(part.name) + len(data))
        if part.name in self._fields:
            self._notes.add(f"{part.name} was sent more than once; the last one was kept")
        self._fields[part.name] = self._decode(data, part.charset)

    def add_json(self, part: Part) -> None:
        """Take annotations that come as a JSON object. Raises Refused."""
        limit = self._settings.max_annotations_size
        data = _read_up_to(part.stream, limit + 1)
        self._count(len(data))
        loaded = parse_json_annotations(
            data,
            self._notes,
            max_depth=self._settings.max_json_depth,
            max_digits=self._settings.max_json_digits,
        )
        if self.has_json:
            self._notes.add("includes several JSON parts, which were merged")
        self.has_json = True
        self._json.update(loaded)

    def merged(self) -> dict[str, Any]:
        """Return all annotations. Raises Refused when there is none."""
        if self._json and self._fields:
            self._notes.add("includes annotations in both json-encoded extra and formdata parts")
        for name in self._json.keys() & self._fields.keys():
            if self._json[name] != self._fields[name]:
                self._notes.add(f"{name} was sent both ways; the formdata part was kept")
        merged = {**self._json, **self._fields}
        if not merged:
            raise Refused("no_annotations")
        return merged

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._settings.max_annotations_size:
            raise Refused("annotations_too_large", 413)

    def _decode(self, data: bytes, charset: str | None) -> str:
        encoding = _CHARSETS.get((charset or "utf-8").strip().lower())
        if encoding is not None:
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                pass
        self._notes.add(
            f"extract payload text part exception: invalid text or charset: {charset or 'utf-8'}"
        )
        return data.decode(encoding or "utf-8", "replace")


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
