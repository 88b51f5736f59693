# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A hostile request and the answers that are due to it; how requests are put together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

BOUNDARY = b"hostile"
TYPE = "multipart/form-data; boundary=hostile"
_PIECE = 64 * 1024

# Status and begin of the body.
Expected = tuple[int, str]
TAKEN: Expected = (200, "CrashID=bp-")
NOT_FOUND: Expected = (404, '{"title": "404')
NOT_ALLOWED: Expected = (405, '{"title": "405')


@dataclass(frozen=True)
class Case:
    """What is sent on one connection, in pieces, and all the answers that come before it closes.

    A client that `stalls` keeps the connection open after the last piece; others say that they
    are done.
    """

    name: str
    pieces: Callable[[], Iterable[bytes]]
    answers: tuple[Expected, ...]
    stalls: bool = False


def case(
    name: str, sent: bytes | Callable[[], Iterable[bytes]], *answers: Expected, stalls: bool = False
) -> Case:
    """Return a case; what is sent may be made only when it is."""
    if isinstance(sent, bytes):
        whole = sent
        return Case(name, lambda: _cut(whole), answers, stalls)
    return Case(name, sent, answers, stalls)


def malformed(reason: str, status: int = 400) -> Expected:
    """Return the answer to what is no proper report."""
    return (status, f"Discarded=malformed_{reason}")


def field(name: str | bytes, value: bytes, *headers: str) -> bytes:
    """Return an annotation as a part."""
    return part(b'Content-Disposition: form-data; name="%b"' % _bytes(name), value, *headers)


def json_part(content: bytes) -> bytes:
    """Return annotations as a JSON part."""
    return field("extra", content, "Content-Type: application/json")


def dump(name: str | bytes, content: bytes, *, filename: str | bytes = "a.dmp") -> bytes:
    """Return a file as a part."""
    head = b'Content-Disposition: form-data; name="%b"; filename="%b"'
    head %= (_bytes(name), _bytes(filename))
    return part(head, content, "Content-Type: application/octet-stream")


def part(first_header: bytes, content: bytes, *headers: str) -> bytes:
    """Return a part with these header lines."""
    lines = [first_header, *(header.encode("latin-1") for header in headers)]
    return b"--hostile\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    """Return a multipart body with a product's name and these parts."""
    return b"".join((PRODUCT, *parts, END))


def post(
    content: bytes,
    *headers: str,
    content_type: str | None = TYPE,
    length: int | str | None = -1,
    line: str = "POST /submit HTTP/1.1",
    host: str | None = "collector",
) -> bytes:
    """Return a request; the length is the right one unless given, None for none."""
    lines = [line]
    lines += [] if host is None else [f"Host: {host}"]
    lines += [] if content_type is None else [f"Content-Type: {content_type}"]
    lines += headers
    if length is not None:
        lines.append(f"Content-Length: {len(content) if length == -1 else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def head(*headers: str, line: str = "POST /submit HTTP/1.1") -> bytes:
    """Return the head of a request of the right type, without a length."""
    return post(b"", *headers, line=line, length=None)


def chunked(content: bytes, size: int = 1000) -> bytes:
    """Return content in the chunked transfer coding."""
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def repeated(first: bytes, piece: bytes, times: int, last: bytes = b"") -> Iterator[bytes]:
    """Yield a piece again and again, between others."""
    yield first
    together = max(1, _PIECE // len(piece))
    for start in range(0, times, together):
        yield piece * min(together, times - start)
    yield last


def sized_post(pieces: Callable[[], Iterable[bytes]], size: int, *headers: str) -> Iterator[bytes]:
    """Yield a request whose body is made in pieces, of that size together."""
    yield post(b"", *headers, length=size)
    yield from pieces()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _cut(whole: bytes) -> Iterator[bytes]:
    """Yield in two halves and more, so that something can happen in between."""
    middle = len(whole) // 2
    for half in (whole[:middle], whole[middle:]):
        for start in range(0, len(half), _PIECE):
            yield half[start : start + _PIECE]


PRODUCT = field("ProductName", b"Hostile")
END = b"--hostile--\r\n"
