# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the collector does at the level of HTTP, before a report is read."""

import json
import socket
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.serving.gathering import BODY_BEGIN, Gathering, HeadLimits
from tests.collector.made_requests import annotation, dump, multipart
from tests.collector.raw_http import CollectorServer, chunked, submit_request

GOOD = multipart(annotation("ProductName", "DemoApp"), dump("upload_file_minidump", b"MDMP" * 5000))
CHUNKED = "Transfer-Encoding: chunked"
GET = b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorServer]:
    server = CollectorServer(
        tmp_path_factory.mktemp("collector"),
        {"COLLECTOR_WORKERS": "2", "UPLOAD_IDLE_SECONDS": "3", "UPLOAD_GRACE_SECONDS": "6"},
    )
    server.start()
    yield server
    server.kill()


def line(first: str, *headers: str) -> bytes:
    return "\r\n".join([first, "Host: x", *headers]).encode("latin-1") + b"\r\n\r\n"


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "a long request line": (line(f"GET /{'x' * 5000} HTTP/1.1"), 400, "request_line_too_long"),
    "a request line without end": (b"GET /" + b"x" * 5000, 400, "request_line_too_long"),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "invalid_request_line"),
    "bytes": (bytes(range(128, 256)), 400, "invalid_request_line"),
    "no version": (b"POST /submit\r\n\r\n", 400, "invalid_request_line"),
    "empty lines": (b"\r\n\r\n\r\n", 400, "invalid_request_line"),
    "an HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "invalid_request_line"),
    "a version of the future": (line("GET / HTTP/7.3"), 400, "invalid_http_version"),
    "a lower-case method": (line("get / HTTP/1.1"), 400, "invalid_method"),
    "a large header field": (line("GET / HTTP/1.1", "X: " + "x" * 9000), 431, "headers_too_large"),
    "many header fields": (line("GET / HTTP/1.1", *["X: y"] * 200), 431, "headers_too_large"),
    "a large head": (
        line("GET / HTTP/1.1", *[f"X: {'x' * 8000}"] * 20),
        431,
        "headers_too_large",
    ),
    "a head without end": (
        line("GET / HTTP/1.1", *[f"X: {'x' * 8000}"] * 20)[:-4],
        431,
        "headers_too_large",
    ),
    "line feeds only": (line("GET / HTTP/1.1").replace(b"\r", b""), 400, "invalid_request_line"),
    "a line feed in the head": (
        line("GET / HTTP/1.1", "X: y\nZ: w")[:-4],
        400,
        "invalid_header",
    ),
    "a header without name": (line("GET / HTTP/1.1", ": x"), 400, "invalid_header"),
    "a header without colon": (line("GET / HTTP/1.1", "x"), 400, "invalid_header"),
    "a header with a null": (line("GET / HTTP/1.1", "X: a\x00b"), 400, "invalid_header"),
    "a folded header": (line("GET / HTTP/1.1", "X: a", " b"), 400, "invalid_header"),
    "two hosts": (line("GET / HTTP/1.1", "Host: y"), 400, "invalid_header"),
    "two lengths": (submit_request(GOOD, "Content-Length: 5"), 400, "invalid_content_length"),
    "a length of words": (
        line("POST /submit HTTP/1.1", "Content-Length: many"),
        400,
        "invalid_content_length",
    ),
    "a negative length": (
        line("POST /submit HTTP/1.1", "Content-Length: -1"),
        400,
        "invalid_content_length",
    ),
    "a length with a sign": (
        line("POST /submit HTTP/1.1", "Content-Length: +1"),
        400,
        "invalid_content_length",
    ),
    "a length of foreign digits": (
        line("POST /submit HTTP/1.1", "Content-Length: \xb2"),
        400,
        "invalid_content_length",
    ),
    "a length and chunks": (submit_request(chunked(GOOD), CHUNKED), 400, "invalid_content_length"),
    "an unknown transfer coding": (
        submit_request(chunked(GOOD), "Transfer-Encoding: rot13", length=None),
        400,
        "invalid_transfer_encoding",
    ),
    "a transfer coding that never ends": (
        submit_request(GOOD, "Transfer-Encoding: gzip", length=None),
        400,
        "invalid_transfer_encoding",
    ),
    "chunks twice": (
        submit_request(chunked(GOOD), "Transfer-Encoding: chunked, chunked", length=None),
        400,
        "invalid_transfer_encoding",
    ),
    "chunks in HTTP/1.0": (
        submit_request(chunked(GOOD), CHUNKED, length=None).replace(b"HTTP/1.1", b"HTTP/1.0"),
        400,
        "invalid_transfer_encoding",
    ),
    "an odd expectation": (
        submit_request(GOOD, "Expect: the-unexpected"),
        417,
        "unknown_expectation",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_http_gets_its_reason_at_once(server: CollectorServer, name: str) -> None:
    request, status, reason = REFUSED[name]
    with server.connect() as connection:
        connection.send(request)
        answer = connection.answer()
        assert (answer.status, answer.body) == (status, f"Discarded=malformed_{reason}")
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["connection"] == "close"
        assert connection.is_closed()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_reports_are_only_posted(server: CollectorServer, method: str) -> None:
    with server.connect() as connection:
        connection.send(line(f"{method} /submit?id=x HTTP/1.0"))
        head, _, body = connection.socket.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 405 ", b"HTTP/1.0 405 "))
    assert b"\r\nallow: post, options" in head.lower()
    if method != "HEAD":
        assert json.loads(body) == {"title": "405 Method Not Allowed"}


def test_options_tell_what_may_be_done(server: CollectorServer) -> None:
    answer = server.send(line("OPTIONS /submit HTTP/1.1"))
    assert (answer.status, answer.body) == (200, "")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/submit/", "/submit/x", "/x", "/%00", "/submit%20"])
def test_other_addresses_are_not_found(server: CollectorServer, path: str) -> None:
    answer = server.send(line(f"GET {path} HTTP/1.1"))
    assert (answer.status, json.loads(answer.body)) == (404, {"title": "404 Not Found"})


def test_a_whole_address_is_as_good_as_a_path(server: CollectorServer) -> None:
    request = submit_request(GOOD).replace(b" /submit ", b" http://crash.example.org/submit?a=b ")
    assert server.send(request).crash_id


def test_http_1_0_gets_its_answer_and_the_end(server: CollectorServer) -> None:
    with server.connect() as connection:
        connection.send(submit_request(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert connection.answer().crash_id
        assert connection.is_closed()


def test_a_client_that_may_not_send_is_not_asked_to(server: CollectorServer) -> None:
    for headers in (
        ["Expect: 100-continue", "Content-Type: text/plain"],
        ["Expect: 100-continue", "Content-Encoding: rot13"],
    ):
        request = submit_request(b"", *headers, length=None).replace(
            b"Content-Type: multipart/form-data; boundary=----a-boundary----\r\n",
            b""
            if headers[1].startswith("Content-Type")
            else b"Content-Type: multipart/mixed; boundary=x\r\n",
        )
        with server.connect() as connection:
            connection.send(request.replace(b"\r\n\r\n", b"\r\nContent-Length: 100000\r\n\r\n"))
            answer = connection.answer()
            assert answer.status in (400, 415), answer
            assert answer.headers["connection"] == "close"
            assert connection.is_closed()


def test_a_client_that_sends_more_than_may_be_is_not_asked_to(server: CollectorServer) -> None:
    head = submit_request(b"", "Expect: 100-continue", length=10**12)
    with server.connect() as connection:
        connection.send(head)
        answer = connection.answer()
        assert (answer.status, answer.body) == (413, "Discarded=malformed_body_too_large")


def test_two_hundred_slow_clients_hold_up_nobody(server: CollectorServer) -> None:
    request = submit_request(GOOD)
    begins = [b"", b"POST", request[:100], request[: request.index(b"\r\n\r\n") + 50]]
    slow = [server.connect() for _ in range(240)]
    try:
        for number, connection in enumerate(slow):
            connection.send(begins[number % len(begins)])
        for _ in range(20):
            assert server.send(request).crash_id
            assert server.send(GET).status == 200
        for number, connection in enumerate(slow):
            if number % len(begins):
                assert connection.answer().body == "Discarded=malformed_timeout"
    finally:
        for connection in slow:
            connection.socket.close()


def test_clients_that_do_not_read_their_answer_hold_up_nobody(server: CollectorServer) -> None:
    deaf = [server.connect() for _ in range(150)]
    try:
        for connection in deaf:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            connection.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        assert server.send(submit_request(GOOD)).crash_id
    finally:
        for connection in deaf:
            connection.socket.close()


def test_idle_connections_make_room_for_others(tmp_path: Path) -> None:
    settings = {
        "COLLECTOR_WORKERS": "2",
        "COLLECTOR_THREADS": "10",
        "MAX_UPLOADS": "5",
        "GUNICORN_CMD_ARGS": "--worker-connections=40",
    }
    crowded = CollectorServer(tmp_path, settings)
    crowded.start()
    idle = [crowded.connect() for _ in range(150)]
    try:
        for _ in range(5):
            assert crowded.send(submit_request(GOOD)).crash_id
    finally:
        for connection in idle:
            connection.socket.close()
        crowded.kill()


def test_a_connection_that_is_closed_or_broken_is_no_error(server: CollectorServer) -> None:
    for data in (b"", b"GET", GET, GET[:-2], submit_request(GOOD)[:3000]):
        with server.connect() as connection:
            connection.send(data)
            # Closing with unread bytes, or so, sends a reset.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert server.send(GET).status == 200
    assert "Traceback" not in server.log
    assert " while serving a request" not in server.log


LIMITS = HeadLimits(request_line=200, head=2000)
WHOLE = {
    "without a body": (GET, len(GET)),
    "with a body": (submit_request(b"x" * 300), None),
    "with a large body": (submit_request(b"x" * 10**6), BODY_BEGIN),
    "in chunks": (submit_request(chunked(b"x" * 3000), CHUNKED, length=None), None),
    "in chunks with trailers": (
        submit_request(chunked(b"x" * 300)[:-2] + b"X: y\r\n\r\n", CHUNKED, length=None),
        None,
    ),
    "after an empty line": (b"\r\n" + GET, len(GET) + 2),
}


@pytest.mark.parametrize("name", WHOLE)
@given(parts=st.sets(st.floats(0, 1), max_size=12))
def test_a_request_is_served_once_its_begin_is_here_however_it_comes(
    name: str, parts: set[float]
) -> None:
    request, begin = WHOLE[name]
    if begin == BODY_BEGIN:
        begin += request.index(b"\r\n\r\n") + 4
    enough = begin or len(request)
    cuts = sorted({int(part * enough) for part in parts} - {0, enough})
    gathering = Gathering(LIMITS)
    for start, end in pairwise([0, *cuts, enough]):
        done = gathering.add(request[start:end])
        assert gathering.refusal is None
        assert done == (end == enough), (end, enough)
    assert gathering.data == request[:enough]


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_whatever_comes_is_bounded(pieces: list[bytes]) -> None:
    gathering = Gathering(LIMITS)
    for piece in pieces:
        if gathering.add(piece):
            break
    assert len(gathering.data) <= LIMITS.head + BODY_BEGIN + 600


def test_a_client_that_waits_for_leave_is_served_before_its_body_comes() -> None:
    head = submit_request(b"", "Expect: 100-continue", length=5000)
    assert Gathering(LIMITS).add(head)
