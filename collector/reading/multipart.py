# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The parts of a multipart body, read as a stream.

Falcon's buffered reader finds the delimiters. Its own iteration over parts is not used: it gives up
on a report for a part's name or type that is not plain ASCII or UTF-8, and drops parts whose header
has no space after the colon, which loses reports of real clients.
"""

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from falcon.errors import DelimiterError

from collector.reading.body import CHUNK, Readable
from collector.reading.header_parameters import parse_header
from collector.refusal import Refused

if TYPE_CHECKING:
    from falcon.util.reader import BufferedReader
else:
    # The compiled one where Falcon has it.
    from falcon.util import BufferedReader

_CRLF = b"\r\n"
_END_OF_HEAD = _CRLF + _CRLF
# The reader wants a bound; the real ones are those of the body below it.
_ENDLESS = 2**60
_MAX_BOUNDARY = 70
_MAX_PADDING = 100


class Head(NamedTuple):
    """What the header of a part says.

    `name` and `filename` are None when the part has none, `content_type` (media type, lower case)
    and `charset` likewise.
    """

    name: str | None
    filename: str | None
    content_type: str | None
    charset: str | None


class Part(NamedTuple):
    """One part. `stream` yields its content until the next part is asked for.

    It returns fewer bytes than asked for at the end of the content only. `content` is the whole of
    it, if that is at hand.
    """

    head: Head
    stream: Readable
    content: bytes | None = None


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a request's Content-Type names.

    Raises Refused when it is not multipart/form-data or multipart/mixed, or has no boundary.
    """
    if not content_type.strip():
        raise Refused("no_content_type")
    media_type, parameters = parse_header(content_type)
    if media_type not in ("multipart/form-data", "multipart/mixed"):
        raise Refused("wrong_content_type")
    boundary = parameters.get("boundary", "").rstrip()
    if not 1 <= len(boundary) <= _MAX_BOUNDARY:
        raise Refused("no_boundary")
    # As WSGI hands headers on: one character a byte.
    return boundary.encode("latin-1", "replace")


def parts_of(
    source: Readable, boundary: bytes, *, max_parts: int, max_header_size: int
) -> Iterator[Part]:
    """Yield the parts up to the closing boundary. Raises Refused."""
    stream = BufferedReader(source.read, _ENDLESS, CHUNK)
    delimiter = b"--" + boundary
    try:
        stream.pipe_until(delimiter, consume_delimiter=True)
        parts = _parts_after_delimiter(stream, _CRLF + delimiter, max_header_size)
        for number, part in enumerate(parts, start=1):
            if number > max_parts:
                raise Refused("too_many_parts")
            yield part
    except DelimiterError as error:
        raise Refused("invalid_payload_structure") from error


def _parts_after_delimiter(
    stream: BufferedReader, delimiter: bytes, max_header_size: int
) -> Iterator[Part]:
    while True:
        yield from _buffered_parts(stream, delimiter, max_header_size)
        if stream.peek(2) == b"--":
            return
        _skip_padding(stream)
        head = _read_head(stream, max_header_size)
        yield Part(head, stream.delimit(delimiter))
        _skip_past(stream, delimiter)


def _buffered_parts(
    stream: BufferedReader, delimiter: bytes, max_header_size: int
) -> Iterator[Part]:
    """Yield the next parts as long as they are usual ones that the buffer holds entirely.

    Those are almost all: a report has some hundred small parts and few large ones.
    """
    buffered = stream.peek()
    start = 0
    while (end := buffered.find(delimiter, start)) >= 0:
        block, separator, content = buffered[start:end].partition(_END_OF_HEAD)
        if not separator or not block.startswith(_CRLF) or len(block) > max_header_size:
            break
        yield Part(_head_of(block[len(_CRLF) :]), io.BytesIO(content), content)
        start = end + len(delimiter)
    stream.read(start)


def _skip_past(stream: BufferedReader, delimiter: bytes) -> None:
    """Pass over what nobody read of a part, which is seldom anything, and its delimiter."""
    if stream.peek(len(delimiter)) == delimiter:
        stream.read(len(delimiter))
    else:
        stream.pipe_until(delimiter, consume_delimiter=True)


def _skip_padding(stream: BufferedReader) -> None:
    """Pass over the end of a delimiter's line; gateways may have added white space to it."""
    padding = stream.read_until(_CRLF, _MAX_PADDING, consume_delimiter=True)
    if padding.strip(b" \t"):
        raise Refused("invalid_payload_structure")


def _read_head(stream: BufferedReader, max_size: int) -> Head:
    if stream.peek(2) == _CRLF:
        stream.read(2)
        return Head(None, None, None, None)
    return _head_of(stream.read_until(_END_OF_HEAD, max_size, consume_delimiter=True))


def _head_of(block: bytes) -> Head:
    """Return what a header says; raises Refused for content that is encoded once more."""
    # Reports have the same heads again and again. Long ones are not worth the memory.
    return _known_head(block) if len(block) <= _LONGEST_KNOWN else _parsed_head(block)


def _parsed_head(block: bytes) -> Head:
    headers: dict[str, str] = {}
    for line in block.split(_CRLF):
        name, _, value = line.partition(b":")
        headers[_decode(name).strip().lower()] = _decode(value).strip()
    if headers.get("content-transfer-encoding", "binary").lower() not in _IDENTITY:
        raise Refused("invalid_payload_structure")
    _, disposition = parse_header(headers.get("content-disposition", ""))
    media_type, type_parameters = parse_header(headers.get("content-type", ""))
    return Head(
        name=disposition.get("name"),
        filename=disposition.get("filename", disposition.get("filename*")),
        content_type=media_type or None,
        charset=type_parameters.get("charset"),
    )


_known_head = lru_cache(maxsize=2048)(_parsed_head)
_LONGEST_KNOWN = 256

# What leaves the content as it is; base64 and quoted-printable are not used over HTTP.
_IDENTITY = frozenset({"binary", "8bit", "7bit"})


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
