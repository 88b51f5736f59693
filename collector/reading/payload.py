# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""From the body of a request to a report: annotations, spooled dumps, notes."""

from dataclasses import dataclass
from typing import Any

from collector.reading.annotations import Annotations
from collector.reading.body import Body
from collector.reading.dumps import Spool, SpooledDump, name_dumps
from collector.reading.inflate import FORMATS, Format, InflatingReader
from collector.reading.multipart import Part, parts_of
from collector.reading.notes import Notes
from collector.reading.spill import Spilled
from collector.refusal import Refused
from socorro.settings import Settings

_PLAIN = frozenset({"", "identity"})
# Types of files that carry what their name says; any other one is worth a note.
_FILE_TYPES = frozenset(
    {None, "application/octet-stream", "application/gzip", "application/x-gzip"}
)


@dataclass(frozen=True)
class Payload:
    """What a client sent.

    Of annotations that are too large for memory `annotations` has only the begin, if anything:
    `spilled` tells where they are. With `are_large` the whole is too large to be one text in
    memory. `received` and `inflated` are the sizes of the body in bytes, as sent and decompressed.
    """

    annotations: dict[str, Any]
    spilled: dict[str, Spilled]
    are_large: bool
    dumps: dict[str, SpooledDump]
    notes: Notes
    as_json: bool
    compressed: bool
    received: int
    inflated: int


def compression_of(content_encoding: str) -> Format | None:
    """Return how a body with this Content-Encoding is compressed. Raises Refused."""
    encoding = content_encoding.strip().lower()
    if encoding in _PLAIN:
        return None
    if encoding not in FORMATS:
        raise Refused("unknown_encoding", 415)
    return FORMATS[encoding]


def read_payload(
    body: Body, *, boundary: bytes, form: Format | None, spool: Spool, settings: Settings
) -> Payload:
    """Read the whole body; dumps go into `spool`.

    Raises Refused for a report that is malformed or beyond a limit, and StorageUnavailable when a
    dump cannot be spooled.
    """
    source = _inflating(body, form, settings) if form else body
    notes = Notes()
    annotations = Annotations(settings, notes, spool.spill)
    parts = parts_of(
        source,
        boundary,
        max_parts=settings.max_parts,
        max_header_size=settings.max_part_header_size,
    )
    try:
        for part in parts:
            _take(part, annotations, spool, notes)
    except Refused:
        if body.was_empty:
            raise Refused("no_content_length") from None
        raise
    # A checksum, a chunk or the rest of the length may be missing after the last part.
    source.read_to_end()
    merged = annotations.merged()
    spilled = {name: value for name, value in merged.items() if isinstance(value, Spilled)}
    merged.update((name, value.head) for name, value in spilled.items())
    return Payload(
        annotations=merged,
        spilled=spilled,
        are_large=annotations.are_large,
        dumps=name_dumps(spool.dumps, notes),
        notes=notes,
        as_json=annotations.has_json,
        compressed=form is not None,
        received=body.received,
        inflated=source.inflated if isinstance(source, InflatingReader) else body.received,
    )


def _inflating(body: Body, form: Format, settings: Settings) -> InflatingReader:
    return InflatingReader(
        body,
        form,
        max_size=settings.max_inflated_size,
        max_ratio=settings.max_inflation_ratio,
        ratio_from=settings.inflation_ratio_from,
    )


def _take(part: Part, annotations: Annotations, spool: Spool, notes: Notes) -> None:
    head = part.head
    if head.content_type == "application/json":
        annotations.add_json(part)
    elif head.filename is None and head.content_type in (None, "text/plain"):
        annotations.add_field(part)
    else:
        if head.content_type not in _FILE_TYPES:
            notes.add(f"unknown content type: {(head.name or '')[:60]} {head.content_type}")
        spool.add(head.name or "", part.stream)
