# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Minidumps and raw crashes with errors in them, always the same ones for the same seed."""

import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from socorro.fields import ANNOTATIONS

_WORDS = (0, 1, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_LONGS = (0, 1, 2**31, 2**32 - 1, 2**32, 2**47, 2**63 - 1, 2**63, 2**64 - 1)
_HEADER = struct.Struct("<4sIIIIIQ")
_ENTRY = struct.Struct("<III")

Change = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def mutated_minidump(minidumps: Sequence[bytes], seed: str) -> bytes:
    """Return one of the minidumps with one to eight changes, and perhaps a part of another."""
    chance = random.Random(seed)
    dump = bytearray(chance.choice(minidumps))
    for _ in range(chance.randint(1, 8)):
        if len(dump) >= _HEADER.size + _ENTRY.size:
            chance.choice(_CHANGES)(dump, chance, minidumps)
    return bytes(dump)


def mutated_raw_crash(raw_crash: dict[str, Any], seed: str) -> dict[str, Any]:
    """Return a raw crash with one to thirty annotations changed, added or renamed."""
    chance = random.Random(seed)
    changed = dict(raw_crash)
    known = sorted(ANNOTATIONS.keys() - {"uuid"})
    for _ in range(chance.randint(1, 30)):
        name = chance.choice([*known, *(key for key in changed if key != "uuid")])
        if chance.random() < 0.1:
            changed.pop(name, None)
        elif chance.random() < 0.1:
            changed[_odd_name(name, chance)] = _odd_value(chance)
        else:
            changed[name] = _odd_value(chance)
    return changed


def _word(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    where = chance.randrange(len(dump) - 4) & ~3
    dump[where : where + 4] = chance.choice([*_WORDS, len(dump), where]).to_bytes(4, "little")


def _long(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    where = chance.randrange(len(dump) - 8) & ~3
    dump[where : where + 8] = chance.choice(_LONGS).to_bytes(8, "little")


def _bits(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    for _number in range(chance.choice([1, 4, 64])):
        dump[chance.randrange(len(dump))] ^= 1 << chance.randrange(8)


def _entry(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Change kind, size or place of a stream."""
    _, _, streams, directory, *_ = _HEADER.unpack_from(dump)
    entry = directory + chance.randrange(max(1, min(streams, 64))) * _ENTRY.size
    if entry + _ENTRY.size <= len(dump):
        fields = list(_ENTRY.unpack_from(dump, entry))
        field = chance.randrange(3)
        fields[field] = chance.choice([*_WORDS, fields[field] + 1, fields[field] // 2, len(dump)])
        _ENTRY.pack_into(dump, entry, *(value & 0xFFFFFFFF for value in fields))


def _in_a_stream(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Change a word near the begin of a stream, where counts and sizes are."""
    _, _, streams, directory, *_ = _HEADER.unpack_from(dump)
    entry = directory + chance.randrange(max(1, min(streams, 64))) * _ENTRY.size
    if entry + _ENTRY.size > len(dump):
        return
    _, size, place = _ENTRY.unpack_from(dump, entry)
    where = place + chance.randrange(max(1, min(size, 256))) // 4 * 4
    if where + 4 <= len(dump):
        dump[where : where + 4] = chance.choice([*_WORDS, size, place]).to_bytes(4, "little")


def _cut(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    del dump[chance.randrange(len(dump)) :]


def _left_out(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    where = chance.randrange(len(dump))
    del dump[where : where + chance.choice([1, 4, 256, 4096])]


def _inserted(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    where = chance.randrange(len(dump))
    dump[where:where] = chance.randbytes(chance.choice([1, 4, 256, 4096]))


def _of_another(dump: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    other = chance.choice(others)
    size = chance.choice([16, 256, 4096])
    where, whence = chance.randrange(len(dump)), chance.randrange(len(other))
    piece = other[whence : whence + min(size, len(dump) - where)]
    dump[where : where + len(piece)] = piece


def _blank(dump: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    where = chance.randrange(len(dump))
    size = min(chance.choice([16, 256, 4096]), len(dump) - where)
    dump[where : where + size] = bytes([chance.choice([0, 0xFF, 0x41])]) * size


_CHANGES: tuple[Change, ...] = (
    _word,
    _long,
    _bits,
    _entry,
    _entry,
    _in_a_stream,
    _in_a_stream,
    _in_a_stream,
    _cut,
    _left_out,
    _inserted,
    _of_another,
    _blank,
)


def _odd_name(name: str, chance: random.Random) -> str:
    return chance.choice(
        [
            "",
            "\0",
            f"{name}\0",
            f"\0{name}",
            name.lower(),
            f"{name} ",
            "ü" * 300,
            "../../etc",
            "\ud800",
        ]
    )


def _odd_value(chance: random.Random) -> Any:
    deep: Any = "end"
    for _ in range(chance.choice([1, 20, 200])):
        deep = [deep] if chance.random() < 0.5 else {"values": deep}
    return chance.choice(
        [
            None,
            True,
            False,
            0,
            -1,
            1.5,
            10**400,
            -(10**30),
            1e308,
            "",
            " ",
            "\0",
            "\ud800\udfff",
            "ü" * chance.choice([1, 50_000]),
            "1" * chance.choice([1, 19, 20, 5000]),
            "-1",
            "1e999",
            "NaN",
            "0x10",
            "٣",
            "true",
            "a,b,,c",
            "a:b:c,d%20e%",
            "[" * 5000,
            "{}",
            "[]",
            "null",
            '{"values": [null, 3, {"type": 3}]}',
            '{"exception": {"values": [{"stacktrace": {"frames": null, "value": "x"}}]}}',
            '{"partner": {"distributionId": [1]}, "system": null}',
            "java.lang.Exception: a\n\tat b.c(D.java:1)\nCaused by: e",
            "no class\n at here",
            deep,
            [],
            {},
            [None, 1, "a"],
            {"exception": {"values": deep}},
        ]
    )
