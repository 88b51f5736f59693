# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Hostile bodies: compression, multipart, names, annotations, files."""

# A table has one request a line.
# ruff: noqa: E501
# fmt: off

import gzip
import json
import random
import zlib
from collections.abc import Iterable, Iterator
from functools import partial

import zstandard

from tests.hostile.case import (
    END,
    PRODUCT,
    TAKEN,
    Case,
    body,
    case,
    chunked,
    dump,
    field,
    head,
    json_part,
    malformed,
    part,
    post,
    repeated,
    sized_post,
)

GOOD = body()
MIB = 2**20
STRUCTURE = malformed("invalid_payload_structure")
BAD_GZIP = malformed("bad_gzip")
TOO_INFLATED = malformed("inflated_too_large", 413)
UNKNOWN = malformed("unknown_encoding", 415)
JSON = malformed("invalid_json")
NO_OBJECT = malformed("invalid_json_value")
TOO_MANY = malformed("too_many_parts")
NAME = malformed("invalid_dump_name")
ANNOTATIONS_TOO_LARGE = malformed("annotations_too_large", 413)
BODY_TOO_LARGE = malformed("body_too_large", 413)
NOISE = random.Random(1).randbytes(1000)


def gzipped(content: bytes, *headers: str) -> bytes:
    return post(content, "Content-Encoding: gzip", *headers)


def deflated(content: bytes) -> bytes:
    return post(content, "Content-Encoding: deflate")


def zstandarded(content: bytes) -> bytes:
    return post(content, "Content-Encoding: zstd")


def bomb(size: int, wbits: int = 31) -> bytes:
    """Return zeros within a dump, compressed to a thousandth, and never the end of it."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, wbits)
    start = compressor.compress(PRODUCT + dump("upload_file_minidump", b"")[:-2])
    start += compressor.flush(zlib.Z_FULL_FLUSH)
    zeros = compressor.compress(bytes(MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return start + zeros * (size // MIB)


def zstd_bomb(size: int) -> bytes:
    start = body()[: -len(END)] + dump("upload_file_minidump", b"")[:-2]
    return zstandard.ZstdCompressor(level=1).compress(start + bytes(size) + b"\r\n" + END)


def wide_window() -> bytes:
    """Return zstd whose window would take 128 MiB."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return compressor.compress(GOOD) + compressor.flush()


def large(piece: bytes, times: int, start: bytes = PRODUCT, end: bytes = END) -> Iterator[bytes]:
    """Yield a request whose body repeats a piece."""
    size = len(start) + len(piece) * times + len(end)
    yield from sized_post(partial(repeated, start, piece, times, end), size)


def large_annotation(size: int, *, last: bytes = b"") -> Iterator[bytes]:
    return large(b"x" * 1024, size // 1024, PRODUCT + field("Large", b"")[:-2], last + b"\r\n" + END)


def large_json(start: bytes, piece: bytes, times: int, end: bytes) -> Iterator[bytes]:
    return large(piece, times, PRODUCT + json_part(start)[:-2], end + b"\r\n" + END)


def wide_names() -> Iterable[bytes]:
    parts = [field(f"{number:05}" + "n" * 8000, b"v") for number in range(3000)]
    return iter([post(b"".join((PRODUCT, *parts, END)))])


COMPRESSED = [
    case("gzip that is none", gzipped(GOOD), BAD_GZIP),
    case("gzip of nothing", gzipped(b""), malformed("no_content_length")),
    case("gzip of an empty body", gzipped(gzip.compress(b"")), STRUCTURE),
    case("gzip of noise", gzipped(gzip.compress(NOISE)), STRUCTURE),
    case("gzip that is cut off", gzipped(gzip.compress(GOOD)[:-9]), BAD_GZIP),
    case("gzip of which only the header came", gzipped(gzip.compress(GOOD)[:10]), BAD_GZIP),
    case("gzip with a wrong checksum", gzipped(gzip.compress(GOOD)[:-8] + bytes(8)), BAD_GZIP),
    case("gzip with a damaged middle", gzipped(gzip.compress(GOOD)[:40] + b"\xff" * 20 + gzip.compress(GOOD)[60:]), BAD_GZIP),
    case("gzip with a reserved flag", gzipped(b"\x1f\x8b\x08\xe0" + gzip.compress(GOOD)[4:]), BAD_GZIP),
    case("gzip with a file name without end", gzipped(b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 100_000), BAD_GZIP),
    case("gzip with noise behind it", gzipped(gzip.compress(GOOD) + NOISE), TAKEN),
    case("gzip with half a member behind it", gzipped(gzip.compress(GOOD) + gzip.compress(b"x")[:12]), BAD_GZIP),
    case("gzip of 9,000 members", gzipped(b"".join(gzip.compress(b"") for _ in range(9000)) + gzip.compress(GOOD)), TAKEN),
    case("gzip of 20,000 members", gzipped(b"".join(gzip.compress(b"") for _ in range(20_000)) + gzip.compress(GOOD)), BAD_GZIP),
    case("gzip within gzip", gzipped(gzip.compress(gzip.compress(GOOD))), STRUCTURE),
    case("gzip that says it is twice", gzipped(gzip.compress(gzip.compress(GOOD)), "Content-Encoding: gzip"), UNKNOWN),
    case("gzip, gzip", post(gzip.compress(gzip.compress(GOOD)), "Content-Encoding: gzip, gzip"), UNKNOWN),
    case("gzip in capitals", post(gzip.compress(GOOD), "Content-Encoding: GZip"), TAKEN),
    case("a gzip bomb of 1 GiB", lambda: iter([gzipped(bomb(1024 * MIB))]), TOO_INFLATED),
    case("a gzip bomb of 11 MiB", lambda: iter([gzipped(bomb(11 * MIB))]), TOO_INFLATED),
    case("a gzip bomb in chunks", lambda: iter([head("Transfer-Encoding: chunked", "Content-Encoding: gzip") + chunked(bomb(300 * MIB))]), TOO_INFLATED),
    case("a gzip bomb within a gzip bomb", lambda: iter([gzipped(gzip.compress(bomb(500 * MIB)))]), STRUCTURE),
    case("a gzip bomb of annotations", lambda: iter([gzipped(gzip.compress(PRODUCT + field("x", b"x" * 30 * MIB) + END))]), TOO_INFLATED),
    case("deflate that is none", deflated(GOOD), malformed("bad_deflate")),
    case("deflate that is cut off", deflated(zlib.compress(GOOD)[:-6]), malformed("bad_deflate")),
    case("deflate without a header, damaged", deflated(zlib.compress(GOOD)[2:40] + b"\xff" * 30), malformed("bad_deflate")),
    case("a deflate bomb", lambda: iter([deflated(bomb(300 * MIB, wbits=15))]), TOO_INFLATED),
    case("a deflate bomb without a header", lambda: iter([deflated(bomb(300 * MIB, wbits=-15))]), TOO_INFLATED),
    case("zstd that is none", zstandarded(GOOD), malformed("bad_zstd")),
    case("zstd that is cut off", zstandarded(zstandard.compress(GOOD)[:-5]), malformed("bad_zstd")),
    case("a zstd bomb", lambda: iter([zstandarded(zstd_bomb(300 * MIB))]), TOO_INFLATED),
    case("a window of 128 MiB", zstandarded(wide_window()), malformed("bad_zstd")),
    case("a zstd dictionary nobody has", zstandarded(b"\x28\xb5\x2f\xfd\x03\x00\xff\xff\xff\xff" + bytes(20)), malformed("bad_zstd")),
    case("br", post(GOOD, "Content-Encoding: br"), UNKNOWN),
    case("an encoding of nonsense", post(GOOD, "Content-Encoding: \xff;,q=1"), UNKNOWN),
]

MULTIPART = [
    case("noise", post(NOISE), STRUCTURE),
    case("one byte", post(b"-"), STRUCTURE),
    case("only the closing delimiter", post(END), malformed("no_annotations")),
    case("only an opening delimiter", post(b"--hostile\r\n"), STRUCTURE),
    case("no closing delimiter", post(GOOD[: -len(END)]), STRUCTURE),
    case("half a closing delimiter", post(GOOD[:-4]), STRUCTURE),
    case("no last line end", post(GOOD[:-2]), TAKEN),
    case("line feeds alone", post(GOOD.replace(b"\r\n", b"\n")), STRUCTURE),
    case("words behind a delimiter", post(GOOD.replace(b"--hostile\r\n", b"--hostile words\r\n", 1)), STRUCTURE),
    case("1 MB behind a delimiter", post(GOOD.replace(b"--hostile\r\n", b"--hostile" + b" " * MIB + b"\r\n", 1)), STRUCTURE),
    case("a part's header of 9 kB", post(body(field("x", b"x", "X: " + "x" * 9000))), STRUCTURE),
    case("a part's header without end", lambda: large(b"X: y\r\n", 300_000, PRODUCT + b"--hostile\r\n"), STRUCTURE),
    case("a part's header of nonsense", post(body(part(b"\0\xff:::;;=\"", b"x"))), TAKEN),
    case("a part without headers", post(body(b"--hostile\r\n\r\ncontent\r\n")), TAKEN),
    case("a part in base64", post(body(field("x", b"eA==", "Content-Transfer-Encoding: base64"))), STRUCTURE),
    case("a part in multipart/mixed", post(body(field("x", b"--inner\r\n\r\nx\r\n--inner--", "Content-Type: multipart/mixed; boundary=inner"))), TAKEN),
    case("a part with a line of 20 MB", lambda: large_annotation(20 * MIB - 1024), TAKEN),
    case("a part full of line ends", lambda: large(b"\r\n", 5 * MIB, PRODUCT + field("x", b"")[:-2], b"\r\n" + END), TAKEN),
    case("a part full of almost delimiters", lambda: large(b"\r\n--hostil", 2 * MIB, PRODUCT + field("x", b"")[:-2], b"\r\n" + END), TAKEN),
    case("a preamble of 10 MB", lambda: large(b"preamble", 10 * MIB // 8, b"", b"\r\n" + GOOD), TAKEN),
    case("an epilogue of 10 MB", lambda: large(b"epilogue", 10 * MIB // 8, GOOD, b""), TAKEN),
    case("4,900 parts", post(body(*(field(f"a{number}", b"v") for number in range(4900)))), TAKEN),
    case("5,001 parts", post(body(*(field(f"a{number}", b"v") for number in range(5000)))), TOO_MANY),
    case("a million empty parts", lambda: large(b"--hostile\r\n\r\n\r\n", MIB), TOO_MANY),
    case("300 files", post(body(*(dump(f"d{number}", b"x") for number in range(300)))), TOO_MANY),
    case("names of 24 MB together", wide_names, TAKEN),
    case("a body beyond the limit", lambda: large(b"x" * 1024, 26 * 1024), BODY_TOO_LARGE),
    case("chunks beyond the limit", lambda: repeated(head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (len(PRODUCT), PRODUCT), b"400\r\n" + b"x" * 1024 + b"\r\n", 27 * 1024), BODY_TOO_LARGE),
]

ANNOTATIONS = [
    case("an annotation without a name", post(body(part(b"Content-Disposition: form-data", b"x"))), TAKEN),
    case("an annotation with an empty name", post(body(field("", b"x"))), TAKEN),
    case("an annotation without a disposition", post(body(part(b"X: y", b"x"))), TAKEN),
    case("a name of 8 kB", post(body(field("n" * 8000, b"x"))), TAKEN),
    case("a name that is a path", post(body(field("../../../../tmp/x", b"x"))), TAKEN),
    case("a name with a null byte", post(body(field(b"a\0b", b"x"))), TAKEN),
    case("a name that is not UTF-8", post(body(field(b"\xff\xfe\x80", b"x"))), TAKEN),
    case("a name of emoji and right-to-left marks", post(body(field("\U0001f4a5\u202e\u0000\u2028", b"x"))), TAKEN),
    case("a name with markup", post(body(field("<script>alert(1)</script>", b"<img src=x onerror=alert(1)>"))), TAKEN),
    case("a name in two sets of quotes", post(body(part(b'Content-Disposition: form-data; name="a""b"', b"x"))), TAKEN),
    case("a name that never ends", post(body(part(b'Content-Disposition: form-data; name="a', b"x"))), TAKEN),
    case("a name given 1,000 times", post(body(part(b"Content-Disposition: form-data" + b"; name=a" * 800, b"x"))), TAKEN),
    case("a name of backslashes", post(body(part(b'Content-Disposition: form-data; name="' + b"\\" * 4001 + b'"', b"x"))), TAKEN),
    case("the collector's own keys", post(body(field("metadata", b"x"), field("submitted_timestamp", b"x"), field("version", b"x"), field("dump_checksums", b"x"))), TAKEN),
    case("names of Python's objects", post(body(field("__class__", b"x"), field("__proto__", b"x"), field("constructor", b"x"))), TAKEN),
    case("the same name 4,000 times", post(body(*[field("a", b"x")] * 4000)), TAKEN),
    case("an annotation of null bytes", post(body(field("a", bytes(100_000)))), TAKEN),
    case("an annotation that is not UTF-8", post(body(field("a", NOISE.replace(b"\r\n--", b"")))), TAKEN),
    case("an annotation in an unknown charset", post(body(field("a", b"x", "Content-Type: text/plain; charset=os.system"))), TAKEN),
    case("an annotation in UTF-16 of half a character", post(body(field("a", b"\x3d\xd8x", "Content-Type: text/plain; charset=utf-16"))), TAKEN),
    case("an annotation in UTF-7", post(body(field("a", b"+ADw-", "Content-Type: text/plain; charset=utf-7"))), TAKEN),
    case("an annotation with a type that is not ASCII", post(body(field("a", b"x", "Content-Type: text/pl\xe4in"))), TAKEN),
    case("an annotation of 21 MB", lambda: large_annotation(21 * MIB), TAKEN),
    case("an annotation of 20 MB with one emoji", lambda: large_annotation(20 * MIB - 2048, last="\U0001f4a5".encode()), TAKEN),
    case("24 annotations of 1 MB", lambda: iter([post(body(*(field(f"a{n}", b"x" * 1_000_000) for n in range(24))))]), TAKEN),
    case("annotations beyond the limit", lambda: iter([gzipped(gzip.compress(body(*(field(f"a{n}", NOISE.hex().encode() * 500) for n in range(30))), 1))]), ANNOTATIONS_TOO_LARGE),
    case("a uuid that is a path", post(body(field("uuid", b"../../../etc/passwd"))), TAKEN),
    case("a uuid with a line end, and the token", post(body(field("uuid", b"00000000-0000-0000-0000-000000261123\n")), "Authorization: Bearer the-token"), malformed("invalid_uuid")),
    case("a uuid that is a path, and the token", post(body(field("uuid", b"../../../etc/passwd")), "Authorization: Bearer the-token"), malformed("invalid_uuid")),
    case("a uuid with a date that never was", post(body(field("uuid", b"00000000-0000-0000-0000-000000261399")), "Authorization: Bearer the-token"), malformed("invalid_uuid")),
    case("a uuid with a date far away", post(body(field("uuid", b"00000000-0000-0000-0000-000000991231")), "Authorization: Bearer the-token"), malformed("invalid_uuid")),
    case("a uuid that is a list, and the token", post(body(json_part(b'{"uuid": [1]}')), "Authorization: Bearer the-token"), malformed("invalid_uuid")),
    case("a uuid that is null", post(body(json_part(b'{"uuid": null}'))), TAKEN),
    case("a uuid of 1 MB, and the token", post(body(field("uuid", b"0" * MIB)), "Authorization: Bearer the-token"), malformed("invalid_uuid")),
]

IN_JSON = [
    case("an empty JSON part", post(body(json_part(b""))), JSON),
    case("JSON of nonsense", post(body(json_part(b"{nonsense}"))), JSON),
    case("JSON that is cut off", post(body(json_part(b'{"a": "b'))), JSON),
    case("JSON with words behind it", post(body(json_part(b'{"a": 1} and more'))), JSON),
    case("two JSON objects", post(body(json_part(b'{"a": 1}{"b": 2}'))), JSON),
    case("JSON that is a list", post(body(json_part(b"[1, 2]"))), NO_OBJECT),
    case("JSON that is null", post(body(json_part(b"null"))), NO_OBJECT),
    case("JSON that is a text", post(body(json_part(b'"text"'))), NO_OBJECT),
    case("JSON that is not UTF-8", post(body(json_part(b'{"a": "\xff\xfe"}'))), JSON),
    case("JSON of noise", post(body(json_part(NOISE))), JSON),
    case("JSON in UTF-32", post(body(json_part('{"a": "b"}'.encode("utf-32")))), TAKEN),
    case("JSON with half a surrogate", post(body(json_part(b'{"a": "\\ud800", "\\udfff": 1}'))), TAKEN),
    case("JSON with null bytes", post(body(json_part(b'{"a\\u0000": "\\u0000"}'))), TAKEN),
    case("JSON with NaN and infinities", post(body(json_part(b'{"a": NaN, "b": [Infinity, -Infinity], "c": 1e999}'))), TAKEN),
    case("JSON with a number of 4,301 digits", post(body(json_part(b'{"a": %b}' % (b"9" * 4301)))), JSON),
    case("JSON with a number of 10 MB", lambda: large_json(b'{"a": ', b"9" * 1024, 10 * 1024, b"}"), ANNOTATIONS_TOO_LARGE),
    case("JSON with a fraction of 1 MB", post(body(json_part(b'{"a": 0.%b}' % (b"1" * MIB)))), TAKEN),
    case("JSON 101 deep", post(body(json_part(b'{"a": %b1%b}' % (b"[" * 101, b"]" * 101)))), JSON),
    case("JSON 100,000 deep", post(body(json_part(b'{"a": %b1%b}' % (b"[" * 100_000, b"]" * 100_000)))), JSON),
    case("JSON of opening brackets", lambda: large_json(b"", b"[" * 1024, 10 * 1024, b""), JSON),
    case("JSON of 25 MB in one text", lambda: large_json(b'{"a": "', b"x" * 1024, 25_000, b'"}'), TAKEN),
    case("JSON of 25 MB in one text with an emoji", lambda: large_json(b'{"a": "', b"x" * 1024, 25_000, '\U0001f4a5"}'.encode()), TAKEN),
    case("JSON of 25 MB in escapes", lambda: large_json(b'{"a": "', b"\\ud83d\\udca5" * 85, 25_000, b'"}'), TAKEN),
    case("JSON of 25 texts of 1 MB", lambda: iter([post(body(json_part(json.dumps({f"a{n}": "x" * 10**6 for n in range(25)}).encode())))]), TAKEN),
    case("JSON of a million lists", lambda: large_json(b'{"a": [', b"[],", 10**6, b"[]]}"), JSON),
    case("JSON of two million names", lambda: large_json(b'{"a": 1', b', "b": 1', 2 * 10**6, b"}"), ANNOTATIONS_TOO_LARGE),
    case("JSON of 60,000 names", post(body(json_part(json.dumps({f"n{n}": n for n in range(60_000)}).encode()))), ANNOTATIONS_TOO_LARGE),
    case("JSON of 10,000 names", post(body(json_part(json.dumps({f"n{n}": n for n in range(10_000)}).encode()))), TAKEN),
    case("JSON of white space", lambda: large_json(b"", b" " * 1024, 20 * 1024, b'{"a": 1}'), TAKEN),
    case("JSON whose text never ends", lambda: large_json(b'{"a": "', b"\\\\" * 512, 10 * 1024, b""), JSON),
    case("a gzip bomb of JSON", lambda: iter([gzipped(gzip.compress(PRODUCT + json_part(b"[" * 30 * MIB) + END))]), TOO_INFLATED),
    case("an environment that is no object", post(body(field("ReleaseChannel", b"esr"), field("TelemetryEnvironment", b"[1]"))), TAKEN),
    case("an environment 100,000 deep", post(body(field("ReleaseChannel", b"esr"), field("TelemetryEnvironment", b"[" * 100_000))), TAKEN),
    case("annotations of all types", post(body(json_part(b'{"ProductName": ["Firefox"], "Version": {}, "BuildID": 1e5, "ReleaseChannel": null, "ProcessType": true}'))), TAKEN),
]

FILES = [
    case("a file that is called raw_crash", post(body(dump("raw_crash", b"x"))), NAME),
    case("a file that is called dump_names", post(body(dump("dump_names", b"x"))), NAME),
    case("a file that becomes processed_crash", post(body(dump("processed._crash", b"x"))), NAME),
    case("a file that is called dump beside the main one", post(body(dump("dump", b"x"), dump("upload_file_minidump", b"y"))), TAKEN),
    case("a file whose name is a path", post(body(dump("../../../../tmp/hostile", b"x"))), TAKEN),
    case("a file whose name is an absolute path", post(body(dump("/etc/passwd", b"x"))), TAKEN),
    case("a file whose name is dots", post(body(dump("..", b"x"))), TAKEN),
    case("a file without a name", post(body(dump("", b"x"))), TAKEN),
    case("a file with a null byte in its name", post(body(dump(b"a\0b", b"x"))), TAKEN),
    case("a file with line ends in its name", post(body(dump("a%0d%0ab", b"x"))), TAKEN),
    case("a file whose file name is a path", post(body(dump("a", b"x", filename="../../../../tmp/hostile"))), TAKEN),
    case("a file whose file name is of 8 kB", post(body(dump("a", b"x", filename="n" * 7900))), TAKEN),
    case("a file name in another charset", post(body(part(b"Content-Disposition: form-data; name=a; filename*=utf-8''%ff%fe", b"x"))), TAKEN),
    case("200 files of the same name", post(body(*[dump("upload_file_minidump", b"x")] * 200)), TAKEN),
    case("200 files whose names end alike", post(body(*(dump("n" * 30 + str(number), b"x") for number in range(200)))), TAKEN),
    case("an empty minidump", post(body(dump("upload_file_minidump", b""))), TAKEN),
    case("a minidump of noise", post(body(dump("upload_file_minidump", NOISE))), TAKEN),
    case("a minidump of 25 MB", lambda: large(b"x" * 1024, 25_000, PRODUCT + dump("upload_file_minidump", b"")[:-2], b"\r\n" + END), TAKEN),
    case("only a file", post(dump("upload_file_minidump", b"x") + END), malformed("no_annotations")),
    case("a file that is cut off", post(body(dump("upload_file_minidump", b"x" * 100_000))[:-60_000], length=100_500), STRUCTURE),
]

CASES: list[Case] = [*COMPRESSED, *MULTIPART, *ANNOTATIONS, *IN_JSON, *FILES]
