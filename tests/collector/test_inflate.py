# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Compressed bodies: every format, however it is cut into pieces, and never more than allowed."""

import gzip
import io
import zlib
from collections.abc import Callable, Sequence

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from collector.reading.body import Body
from collector.reading.inflate import FORMATS, InflatingReader
from collector.reading.payload import compression_of
from collector.refusal import Refused

SKIPPABLE = b"\x5a\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"


def raw_deflate(data: bytes) -> bytes:
    """Return deflate without zlib's header, as some clients send it."""
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeeze.compress(data) + squeeze.flush()


def zstd_of_unknown_size(data: bytes) -> bytes:
    """Return a frame as a client that streams makes it."""
    squeeze = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return squeeze.compress(data) + squeeze.flush()


WRITERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.compress),
    "zstd of unknown size": ("zstd", zstd_of_unknown_size),
}
ALL_WRITERS = pytest.mark.parametrize(("name", "squeeze"), WRITERS.values(), ids=WRITERS)
SEVERAL = [WRITERS["gzip"], WRITERS["zstd"], WRITERS["zstd of unknown size"]]


class InPieces:
    """A source that returns pieces of the given sizes, over and over."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        self._data = io.BytesIO(data)
        self._sizes = sizes
        self._reads = 0

    def read(self, size: int, /) -> bytes:
        self._reads += 1
        return self._data.read(min(size, self._sizes[self._reads % len(self._sizes)]))


def reader(
    data: bytes,
    name: str,
    sizes: Sequence[int] = (65536,),
    max_size: int = 2**30,
    max_ratio: int = 2**20,
) -> InflatingReader:
    body = Body(InPieces(data, sizes), len(data), 2**30)
    return InflatingReader(
        body, FORMATS[name], max_size=max_size, max_ratio=max_ratio, ratio_from=1000
    )


def all_of(source: InflatingReader, size: int = 65536) -> bytes:
    pieces = []
    while piece := source.read(size):
        assert len(piece) <= size
        pieces.append(piece)
    source.read_to_end()
    return b"".join(pieces)


@given(
    data=st.binary(max_size=2000) | st.binary(min_size=1, max_size=9).map(lambda d: d * 40_000),
    writer=st.sampled_from(list(WRITERS.values())),
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=5),
    wanted=st.integers(500, 100_000),
)
def test_any_pieces_give_what_was_compressed(
    data: bytes, writer: tuple[str, Callable[[bytes], bytes]], sizes: list[int], wanted: int
) -> None:
    name, squeeze = writer
    source = reader(squeeze(data), name, sizes)
    assert all_of(source, wanted) == data
    assert source.inflated == len(data)


@given(
    members=st.lists(st.binary(max_size=300), min_size=1, max_size=8),
    writer=st.sampled_from(SEVERAL),
    size=st.integers(1, 400),
    junk=st.sampled_from([b"", b"\0", b"junk", b"\0" * 5000]),
)
def test_several_members_follow_each_other_and_what_follows_the_last_is_ignored(
    members: list[bytes],
    writer: tuple[str, Callable[[bytes], bytes]],
    size: int,
    junk: bytes,
) -> None:
    name, squeeze = writer
    sent = b"".join(map(squeeze, members)) + junk
    assert all_of(reader(sent, name, [size])) == b"".join(members)


@given(
    data=st.binary(max_size=500),
    writer=st.sampled_from(list(WRITERS.values())),
    cut=st.integers(1, 600),
    size=st.integers(1, 400),
)
def test_a_truncated_body_is_refused(
    data: bytes, writer: tuple[str, Callable[[bytes], bytes]], cut: int, size: int
) -> None:
    name, squeeze = writer
    whole = squeeze(data)
    with pytest.raises(Refused, match=f"bad_{name}"):
        all_of(reader(whole[: -min(cut, len(whole))], name, [size]))


@given(data=st.binary(max_size=300), name=st.sampled_from(sorted(FORMATS)))
def test_any_bytes_are_inflated_or_refused(data: bytes, name: str) -> None:
    source = reader(data, name)
    reason = ""
    try:
        all_of(source)
    except Refused as refused:
        reason = refused.reason
    assert reason in ("", FORMATS[name].reason, "inflated_too_large")


def test_frames_to_skip_are_skipped() -> None:
    frame = zstandard.compress(b"text")
    assert all_of(reader(SKIPPABLE + frame + SKIPPABLE + frame, "zstd")) == b"texttext"


@pytest.mark.parametrize(("name", "squeeze"), SEVERAL, ids=["gzip", "zstd", "zstd of unknown size"])
def test_a_damaged_second_member_is_refused(name: str, squeeze: Callable[[bytes], bytes]) -> None:
    damaged = bytearray(squeeze(b"second" * 100))
    damaged[8:12] = b"\xff\xff\xff\xff"
    sent = squeeze(b"first") + bytes(damaged)[:-4]
    with pytest.raises(Refused, match=f"bad_{name}"):
        all_of(reader(sent, name))


@pytest.mark.parametrize("empty", [gzip.compress(b""), zstandard.compress(b"")])
def test_too_many_members_are_refused(empty: bytes) -> None:
    name = "gzip" if empty.startswith(b"\x1f") else "zstd"
    assert all_of(reader(empty * 10_000, name)) == b""
    with pytest.raises(Refused, match=f"bad_{name}"):
        all_of(reader(empty * 10_001, name))


@ALL_WRITERS
def test_a_bomb_is_refused_by_its_ratio(name: str, squeeze: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Refused, match="inflated_too_large") as caught:
        all_of(reader(squeeze(bytes(30 * 2**20)), name, max_ratio=200))
    assert caught.value.status == 413


@ALL_WRITERS
def test_no_more_comes_out_than_allowed(name: str, squeeze: Callable[[bytes], bytes]) -> None:
    source = reader(squeeze(bytes(2**20)), name, max_size=2**20 - 1)
    with pytest.raises(Refused, match="inflated_too_large"):
        all_of(source)


def test_a_frame_that_asks_for_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    squeeze = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    sent = squeeze.compress(b"x" * 100) + squeeze.flush()
    with pytest.raises(Refused, match="bad_zstd"):
        all_of(reader(sent, "zstd"))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("gzip", "gzip"),
        (" GZip ", "gzip"),
        ("X-GZIP", "gzip"),
        ("Deflate", "deflate"),
        ("ZSTD", "zstd"),
    ],
)
def test_an_encoding_is_known_in_any_letter_case(header: str, name: str) -> None:
    assert compression_of(header) is FORMATS[name]


@pytest.mark.parametrize("header", ["", " ", "identity", "IDENTITY"])
def test_a_body_may_be_plain(header: str) -> None:
    assert compression_of(header) is None


@pytest.mark.parametrize(
    "header", ["br", "gzip, gzip", "gzip;q=1", "compress", "zstd,gzip", "\xff"]
)
def test_any_other_encoding_is_refused(header: str) -> None:
    with pytest.raises(Refused, match="unknown_encoding"):
        compression_of(header)
