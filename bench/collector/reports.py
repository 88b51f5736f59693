# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The reports of the benchmark: their annotations and dumps, and how clients encode them."""

import json
import random
import struct
import uuid
import zlib
from dataclasses import dataclass
from functools import cached_property

BOUNDARY = "---------------------------benchboundary4f1a"
# Stands in a report where each one that is sent gets a value of its own.
_MARK = "00000000-0000-4000-8000-000000000000"
_ANNOTATIONS = 10_000
_SHORT_ONES = 60
_DUMP = 400_000
_LARGE = 25_000_000
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
_LEVEL = 6


@dataclass(frozen=True)
class Request:
    """The body of a request and the headers that describe it."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Load:
    """Reports that differ in one annotation. `head` is the body up to the dump, `tail` the rest."""

    name: str
    head: bytes
    tail: bytes
    compressed: bool

    def request(self) -> Request:
        """Return the next report."""
        head = self.head.replace(_MARK.encode(), str(uuid.uuid4()).encode())
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        if not self.compressed:
            return Request(headers, head + self.tail)
        return Request({**headers, "Content-Encoding": "gzip"}, self._gzipped(head))

    def _gzipped(self, head: bytes) -> bytes:
        """One gzip member, of which only the head is compressed anew."""
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        deflated = compressor.compress(head) + compressor.flush(zlib.Z_FULL_FLUSH)
        checksum = zlib.crc32(self.tail, zlib.crc32(head))
        trailer = struct.pack("<II", checksum, len(head) + len(self.tail))
        return _GZIP_HEADER + deflated + self._deflated_tail + trailer

    @cached_property
    def _deflated_tail(self) -> bytes:
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return compressor.compress(self.tail) + compressor.flush()


def loads() -> list[Load]:
    """Return the loads: annotations as fields and as one JSON part, each plain and gzip."""
    annotations = _annotations()
    # Crashpad tells reports apart by a guid; Firefox sends none.
    shapes = {
        "fields": _fields({"guid": _MARK, **annotations}),
        "JSON": _json_part({"TelemetryProfileGroupId": _MARK, **annotations}),
    }
    tail = _part(_MINIDUMP, _OCTETS, minidump()) + _END
    return [
        Load(f"{shape}, {'gzip' if compressed else 'plain'}", head, tail, compressed)
        for shape, head in shapes.items()
        for compressed in (False, True)
    ]


def large_requests() -> dict[str, Request]:
    """Return reports of 25 MB that are hard on a collector's memory, by what they are made of."""
    rng = random.Random(3)
    dump = _part(_MINIDUMP, _OCTETS, rng.randbytes(_LARGE))
    annotations = {f"Annotation{number}": "x" * (_LARGE // 50) for number in range(50)}
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    product = _fields({"ProductName": "Firefox"})
    compressor = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    compressed = compressor.compress(product + dump + _END) + compressor.flush()
    return {
        "a dump": Request(headers, product + dump + _END),
        "a dump, gzip": Request({**headers, "Content-Encoding": "gzip"}, compressed),
        "50 fields": Request(headers, _fields(annotations) + _END),
        "JSON": Request(headers, _json_part(annotations) + _END),
    }


_MINIDUMP = 'name="upload_file_minidump"; filename="a.dmp"'
_OCTETS = "application/octet-stream"
_END = f"--{BOUNDARY}--\r\n".encode()


def _fields(annotations: dict[str, str]) -> bytes:
    """As Crashpad and Breakpad send annotations."""
    return b"".join(
        _part(f'name="{name}"', None, value.encode()) for name, value in annotations.items()
    )


def _json_part(annotations: dict[str, str]) -> bytes:
    """As Firefox sends annotations."""
    body = json.dumps(annotations).encode()
    return _part('name="extra"; filename="extra.json"', "application/json", body)


def _part(disposition: str, content_type: str | None, content: bytes) -> bytes:
    header = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n"
    if content_type:
        header += f"Content-Type: {content_type}\r\n"
    return header.encode() + b"\r\n" + content + b"\r\n"


def _annotations() -> dict[str, str]:
    """About 10 kB, as a desktop browser sends: many short ones, and some of kilobytes."""
    rng = random.Random(1)
    annotations = {
        "ProductName": "Firefox",
        "Version": "148.0",
        "BuildID": "20261101094500",
        "ReleaseChannel": "release",
        "Vendor": "Mozilla",
        "ProcessType": "main",
        "TelemetryEnvironment": json.dumps(_environment(rng)),
        "StackTraces": json.dumps({"threads": [{"frames": _frames(rng)} for _ in range(3)]}),
        "ModuleSignatureInfo": json.dumps({"Vendor": [f"{name}.dll" for name in _NAMES]}),
    }
    for number in range(_SHORT_ONES):
        name = _NAMES[number % len(_NAMES)].capitalize()
        annotations[f"{name}Number{number}"] = str(rng.randrange(10 ** rng.randrange(1, 13)))
    size = sum(len(name) + len(value) for name, value in annotations.items())
    notes = (f"{rng.choice(_NAMES)} {rng.randrange(1000)}; " for _ in range(_ANNOTATIONS))
    annotations["AppNotes"] = "".join(notes)[: _ANNOTATIONS - size]
    return annotations


_NAMES = (
    "addon", "adapter", "available", "crash", "dom", "driver", "event", "graphics", "heap",
    "install", "ipc", "last", "memory", "moz", "page", "plugin", "process", "safe", "startup",
    "system", "thread", "total", "uptime", "virtual", "window", "xpcom",
)  # fmt: skip


def _environment(rng: random.Random) -> dict[str, object]:
    addons = {
        f"{name}@example.org": {"version": f"{rng.randrange(20)}.{rng.randrange(10)}", "type": "e"}
        for name in _NAMES
    }
    return {"build": {"vendor": "Mozilla"}, "addons": addons, "settings": {"e10sEnabled": True}}


def _frames(rng: random.Random) -> list[dict[str, str | int]]:
    return [{"ip": hex(rng.randrange(2**47)), "module_index": rng.randrange(40)} for _ in range(24)]


def minidump(size: int = _DUMP) -> bytes:
    """Return bytes that compress as a minidump's stacks do: pointers, small numbers and zeros.

    Deflate makes a good quarter of them, as of Firefox's minidumps.
    """
    rng = random.Random(2)
    modules = [rng.randrange(0x7F00_0000_0000, 0x7FFF_0000_0000) & ~0xFFFF for _ in range(12)]
    words = [
        rng.choice(modules) + rng.randrange(2**24) if kind < 0.4 else rng.randrange(2**16)
        for kind in (rng.random() for _ in range(size // 16))
    ]
    zeros = bytes(8)
    stacks = b"".join(zeros * rng.randrange(3) + word.to_bytes(8, "little") for word in words)
    return (b"MDMP\x93\xa7\x00\x00" + stacks).ljust(size, b"\x00")[:size]
