# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Minidumps and other files of a report: spooled to disk as they come, hashed as they pass."""

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.body import CHUNK, Readable
from collector.notes import Notes
from collector.refusal import Refused
from socorro.storage import StorageUnavailable
from socorro.storage.base import MAIN_DUMP, RESERVED_DUMP_NAMES, kind_of_dump

_MAX_NAME = 30
_UNNAMED = "unnamed"


@dataclass(frozen=True)
class SpooledDump:
    """A file of a report in the spool; `sent_name` is the name that the client gave it."""

    sent_name: str
    path: Path
    sha256: str
    size: int


class Spool:
    """The files of one report on their way into storage.

    As a context manager it removes, at the end, those that storage did not take over.
    """

    def __init__(self, folder: Path, max_dumps: int) -> None:
        self._folder = folder
        self._max_dumps = max_dumps
        self._paths: list[Path] = []
        self.dumps: list[SpooledDump] = []

    def add(self, sent_name: str, stream: Readable) -> None:
        """Copy a file from the stream.

        Raises Refused for a name that storage keeps for itself or one file too many, and
        StorageUnavailable when it cannot be written.
        """
        if clean_name(sent_name) in RESERVED_DUMP_NAMES:
            raise Refused("invalid_dump_name")
        if len(self.dumps) >= self._max_dumps:
            raise Refused("too_many_parts")
        path = self._folder / f"{uuid.uuid4().hex}.dump"
        self._paths.append(path)
        digest = hashlib.sha256()
        size = 0
        try:
            # What reading raises is no OSError: see Body.
            with path.open("xb", buffering=0) as file:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    _write_all(file.fileno(), chunk)
        except OSError as error:
            raise StorageUnavailable(f"spool: {error}") from error
        self.dumps.append(SpooledDump(sent_name, path, digest.hexdigest(), size))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for path in self._paths:
            # One that cannot be removed is swept later; it must not turn a taken report into an
            # error.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def clean_name(sent_name: str) -> str:
    """Return the letters, digits and underscores of a dump's name, at most 30."""
    return re.sub(r"[^A-Za-z0-9_]+", "", sent_name)[:_MAX_NAME]


def name_dumps(dumps: Sequence[SpooledDump], notes: Notes) -> dict[str, SpooledDump]:
    """Give each dump a name of its own, so that none takes another's place in storage.

    The main minidump keeps its name whatever else is there, then those whose names needed no
    cleaning; of dumps with the same name the first keeps it. A note tells who was renamed.
    """
    named: dict[str, SpooledDump] = {}
    kinds: set[str] = set()
    for dump in sorted(dumps, key=_rank):
        base = clean_name(dump.sent_name) or _UNNAMED
        name = _free_name(base, kinds)
        kinds.add(kind_of_dump(name))
        named[name] = dump
        if name != base:
            notes.add(f"a second dump with the name {base} was kept as {name}")
    return named


def _rank(dump: SpooledDump) -> int:
    if dump.sent_name == MAIN_DUMP:
        return 0
    return 1 if clean_name(dump.sent_name) == dump.sent_name else 2


def _free_name(base: str, taken_kinds: set[str]) -> str:
    name, number = base, 1
    while kind_of_dump(name) in taken_kinds:
        number += 1
        suffix = f"_{number}"
        name = base[: _MAX_NAME - len(suffix)] + suffix
    return name


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
