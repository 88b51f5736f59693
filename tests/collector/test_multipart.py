# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Parts of multipart bodies, cut out of the buffer or read as a stream."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.reading.multipart import Part, parts_of
from collector.refusal import Refused

BOUNDARY = b"bound"
HEAD = b'Content-Disposition: form-data; name="a"\r\n'
# Around what the reader buffers, and with what looks almost like a delimiter.
CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r\n", b"--bound", b"\r\n--boun", b"-", b"d"])).map(b"".join),
    st.integers(0, 70_000).map(lambda size: b"x" * size),
).filter(lambda content: b"\r\n--bound" not in b"\r\n" + content)
# A gateway may have added white space to a delimiter; some parts have no header.
STARTS = st.sampled_from([b"", b" ", b"\t "])
HEADS = st.sampled_from(
    [
        b"",
        HEAD,
        b'Content-Disposition: form-data; name="b"; filename="c"\r\nContent-Type: x/y\r\n',
        b'Content-Disposition: form-data; name="' + b"n" * 400 + b'"\r\n',
    ]
)
PARTS = st.lists(st.tuples(STARTS, HEADS, CONTENTS), max_size=12)


class Source:
    """A body that arrives in pieces of the given sizes, over and over."""

    def __init__(self, body: bytes, sizes: list[int]) -> None:
        self._body = io.BytesIO(body)
        self._sizes = sizes
        self._reads = 0

    def read(self, size: int, /) -> bytes:
        self._reads += 1
        return self._body.read(min(size, self._sizes[self._reads % len(self._sizes)]))


def body_of(parts: list[tuple[bytes, bytes, bytes]]) -> bytes:
    blocks = [
        b"--bound" + start + b"\r\n" + head + b"\r\n" + content + b"\r\n"
        for start, head, content in parts
    ]
    return b"".join(blocks) + b"--bound--\r\n"


def read_part(part: Part) -> bytes:
    return b"".join(iter(lambda: part.stream.read(4096), b""))


def read_all(source: io.BytesIO) -> None:
    for part in parts_of(source, BOUNDARY, max_parts=20, max_header_size=8192):
        read_part(part)


@given(parts=PARTS, sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=5))
def test_parts_are_the_same_however_they_are_written_and_arrive(
    parts: list[tuple[bytes, bytes, bytes]], sizes: list[int]
) -> None:
    source = Source(body_of(parts), sizes)
    found = [
        (part.head.name, part.head.filename, part.head.content_type, read_part(part))
        for part in parts_of(source, BOUNDARY, max_parts=20, max_header_size=8192)
    ]
    expected = [(*_named(head), content) for _, head, content in parts]
    assert found == expected


@given(parts=PARTS, read=st.integers(0, 100))
def test_what_nobody_reads_of_a_part_is_passed_over(
    parts: list[tuple[bytes, bytes, bytes]], read: int
) -> None:
    source = io.BytesIO(body_of(parts))
    begins = [
        part.stream.read(read)
        for part in parts_of(source, BOUNDARY, max_parts=20, max_header_size=8192)
    ]
    assert begins == [content[:read] for _, _, content in parts]


@given(parts=PARTS, lost=st.integers(10, 5000))
def test_a_body_that_is_cut_off_is_refused(
    parts: list[tuple[bytes, bytes, bytes]], lost: int
) -> None:
    whole = body_of(parts)
    # Without the closing delimiter's last characters nobody knows that this was all.
    source = io.BytesIO(whole[: max(0, len(whole) - lost)])
    with pytest.raises(Refused, match="invalid_payload_structure"):
        read_all(source)


def test_what_follows_the_closing_delimiter_is_no_part() -> None:
    again = b"\r\n--bound\r\n" + HEAD + b"\r\ntwo\r\n--bound--\r\n"
    body = body_of([(b"", HEAD, b"one")]) + again
    parts = parts_of(io.BytesIO(body), BOUNDARY, max_parts=20, max_header_size=8192)
    assert [read_part(part) for part in parts] == [b"one"]


@pytest.mark.parametrize("content", [b"small", b"x" * 100_000])
def test_a_header_beyond_the_limit_is_refused_in_small_parts_and_large(content: bytes) -> None:
    head = b'Content-Disposition: form-data; name="' + b"n" * 300 + b'"\r\n'
    body = body_of([(b"", HEAD, b"before"), (b"", head, content)])
    parts = parts_of(io.BytesIO(body), BOUNDARY, max_parts=20, max_header_size=200)
    assert read_part(next(parts)) == b"before"
    with pytest.raises(Refused, match="invalid_payload_structure"):
        next(parts)


def test_encoded_content_is_refused_each_time() -> None:
    head = HEAD + b"Content-Transfer-Encoding: base64\r\n"
    for _ in range(2):
        body = io.BytesIO(body_of([(b"", head, b"YQ==")]))
        with pytest.raises(Refused, match="invalid_payload_structure"):
            next(parts_of(body, BOUNDARY, max_parts=20, max_header_size=8192))


def _named(head: bytes) -> tuple[str | None, str | None, str | None]:
    if b"filename" in head:
        return "b", "c", "x/y"
    if b"nnnn" in head:
        return "n" * 400, None, None
    return ("a" if head else None), None, None
