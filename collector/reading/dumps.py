# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Minidumps and other files of a report: spooled to disk as they come, hashed as they pass."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.reading.body import CHUNK, Readable
from collector.reading.notes import Notes
from collector.reading.spill import Spill
from collector.reading.spool_file import SpoolFile
from collector.refusal import Refused
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
    """The files of one report on their way into storage, in the first folder that takes them.

    As a context manager it removes, at the end, those that storage did not take over.
    """

    def __init__(self, folders: Sequence[Path], max_dumps: int) -> None:
        self._folders = folders
        self._max_dumps = max_dumps
        self._files: list[SpoolFile] = []
        self._spill: Spill | None = None
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
        digest = hashlib.sha256()
        path = self._write(".dump", _hashed(stream, digest))
        self.dumps.append(SpooledDump(sent_name, path, digest.hexdigest(), self._files[-1].size))

    def spill(self) -> Spill:
        """Return the file for annotations that are too large for memory, made when first asked."""
        if self._spill is None:
            self._spill = Spill(self._new_file(None))
        return self._spill

    def write_annotations(self, pieces: Iterable[bytes]) -> Path:
        """Write a file for storage. Raises StorageUnavailable."""
        return self._write(".json", pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.remove()

    def _new_file(self, suffix: str | None) -> SpoolFile:
        file = SpoolFile(self._folders, suffix)
        self._files.append(file)
        return file

    def _write(self, suffix: str, pieces: Iterable[bytes]) -> Path:
        file = self._new_file(suffix)
        for piece in pieces:
            file.write(piece)
        return file.finish()


def _hashed(stream: Readable, digest: "hashlib._Hash") -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        yield chunk


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
