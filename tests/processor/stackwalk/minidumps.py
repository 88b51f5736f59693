# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Changes minidumps for tests."""

import struct
from uuid import UUID

from socorro.packaged import SAMPLES

SAMPLE = SAMPLES / "crashes" / "dumps" / "nested_null.dmp"
SAMPLE_MODULE = "nested_null"
SAMPLE_DEBUG_ID = "896B179A7FFF862257C61DA8779089BA0"

_HEADER = struct.Struct("<4sIIIIIQ")
_DIRECTORY_ENTRY = struct.Struct("<III")
_THREAD_LIST_STREAM = 3
_THREAD_SIZE = 48


def with_build_id(dump: bytes, build_id: bytes) -> bytes:
    """The sample with another build id (16 bytes) for its main module."""
    old = UUID(SAMPLE_DEBUG_ID[:32]).bytes_le
    assert dump.count(old) == 1
    return dump.replace(old, build_id)


def with_module_leaf(dump: bytes, leaf: str) -> bytes:
    """The sample with another last part of its main module's path, no longer than the first."""
    old = f"/{SAMPLE_MODULE}"
    new = f"/{leaf}".rjust(len(old), "x")
    assert len(new) == len(old)
    old_bytes = old.encode("utf-16-le")
    assert old_bytes in dump
    return dump.replace(old_bytes, new.encode("utf-16-le"))


def with_threads(dump: bytes, count: int) -> bytes:
    """A minidump in which the last thread occurs `count` times, all on the same stack memory."""
    _, _, streams, directory, *_ = _HEADER.unpack_from(dump)
    for number in range(streams):
        entry = directory + number * _DIRECTORY_ENTRY.size
        kind, size, offset = _DIRECTORY_ENTRY.unpack_from(dump, entry)
        if kind == _THREAD_LIST_STREAM:
            thread = dump[offset + size - _THREAD_SIZE : offset + size]
            threads = struct.pack("<I", count) + thread * count
            changed = _DIRECTORY_ENTRY.pack(kind, len(threads), len(dump))
            before, after = dump[:entry], dump[entry + len(changed) :]
            return before + changed + after + threads
    raise AssertionError("no thread list")
