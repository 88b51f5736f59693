# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Bodies read past gunicorn's own readers, behind its own parser."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from collector.serving.request_body import BodyOfLength, ChunkedBody, body_of

BODIES = st.binary(max_size=3000)
SIZES = st.lists(st.integers(1, 500), min_size=1, max_size=8)


@dataclass
class Connection:
    """A client whose bytes arrive in pieces of the given sizes, over and over."""

    content: bytes
    sizes: Sequence[int] = (65536,)
    received: int = 0
    failure: OSError | None = None
    calls: list[int] = field(default_factory=list)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self.failure is not None and self.received >= len(self.content):
            raise self.failure
        piece = self.sizes[len(self.calls) % len(self.sizes)]
        self.calls.append(size)
        data = self.content[self.received : self.received + min(size, piece)]
        self.received += len(data)
        return data


def requests_on(connection: Connection) -> RequestParser:
    return RequestParser(Config(), connection, ("127.0.0.1", 1))


def head(*headers: str) -> bytes:
    return "\r\n".join(["POST /submit HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def chunked(content: bytes, size: int) -> bytes:
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def read_all(body: BodyOfLength | ChunkedBody, size: int) -> bytes:
    result = io.BytesIO()
    while data := body.read(size):
        assert len(data) <= size
        result.write(data)
    return result.getvalue()


@given(content=BODIES, sizes=SIZES, ask=st.integers(1, 4000))
def test_a_body_of_known_length_is_the_same_however_it_arrives(
    content: bytes, sizes: list[int], ask: int
) -> None:
    connection = Connection(head(f"Content-Length: {len(content)}") + content + b"more", sizes)
    request = next(requests_on(connection))
    body = body_of(request, connection)
    assert isinstance(body, BodyOfLength)
    assert read_all(body, ask) == content
    assert not body.failed


@given(content=BODIES, sizes=SIZES, ask=st.integers(1, 4000), chunk=st.integers(1, 700))
def test_a_chunked_body_is_the_same_however_it_arrives(
    content: bytes, sizes: list[int], ask: int, chunk: int
) -> None:
    sent = head("Transfer-Encoding: chunked") + chunked(content, chunk)
    connection = Connection(sent, sizes)
    body = body_of(next(requests_on(connection)), connection)
    assert isinstance(body, ChunkedBody)
    assert read_all(body, ask) == content
    assert not body.failed


@given(first=BODIES, second=BODIES, sizes=SIZES, length_first=st.booleans())
def test_requests_on_one_connection_do_not_take_from_each_other(
    first: bytes, second: bytes, sizes: list[int], length_first: bool
) -> None:
    with_length = [head(f"Content-Length: {len(one)}") + one for one in (first, second)]
    with_chunks = [
        head("Transfer-Encoding: chunked") + chunked(one, 100) for one in (first, second)
    ]
    sent = with_length[0] + with_chunks[1] if length_first else with_chunks[0] + with_length[1]
    connection = Connection(sent, sizes)
    parser = requests_on(connection)
    for content in (first, second):
        request = next(parser)
        request.body = body_of(request, connection)
        assert read_all(request.body, 4096) == content


def test_a_body_that_nobody_read_is_passed_over_by_gunicorn() -> None:
    sent = head("Content-Length: 5") + b"first" + head("Content-Length: 6") + b"second"
    connection = Connection(sent)
    parser = requests_on(connection)
    request = next(parser)
    request.body = body_of(request, connection)
    following = next(parser)
    assert read_all(body_of(following, connection), 100) == b"second"


def test_no_more_is_received_than_the_body_has() -> None:
    connection = Connection(
        head("Content-Length: 100") + b"x" * 300, (len(head("Content-Length: 100")), 40)
    )
    body = body_of(next(requests_on(connection)), connection)
    assert read_all(body, 64) == b"x" * 100
    assert connection.received == len(head("Content-Length: 100")) + 100


def test_a_body_that_is_cut_off_ends_and_closes_the_connection() -> None:
    connection = Connection(head("Content-Length: 10") + b"half")
    parser = requests_on(connection)
    request = next(parser)
    request.body = body_of(request, connection)
    assert read_all(request.body, 100) == b"half"
    assert request.body.failed
    assert not parser.finish_body()


def test_a_broken_connection_is_told_and_closed() -> None:
    connection = Connection(
        head("Content-Length: 10") + b"half", failure=ConnectionResetError("gone")
    )
    body = body_of(next(requests_on(connection)), connection)
    assert body.read(100) == b"half"
    with pytest.raises(ConnectionResetError):
        body.read(100)
    assert body.failed


@pytest.mark.parametrize(
    "content", [b"5\r\nhel", b"zz\r\n", b"5\r\nhelloXX", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n"]
)
def test_chunks_that_are_malformed_or_cut_off_never_end_as_if_complete(content: bytes) -> None:
    connection = Connection(head("Transfer-Encoding: chunked") + content)
    body = body_of(next(requests_on(connection)), connection)
    with pytest.raises((ParseException, NoMoreData)):
        read_all(body, 100)
    assert body.failed
    with pytest.raises(NoMoreData):
        body.read(100)


def test_a_request_without_a_body_reads_nothing() -> None:
    connection = Connection(head())
    body = body_of(next(requests_on(connection)), connection)
    assert body.read(100) == b""
    assert not body.failed
    assert connection.received == len(head())
