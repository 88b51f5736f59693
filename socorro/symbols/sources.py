# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Finds symbol files in what an operator names: folders, archives, single files."""

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from socorro.symbol_server import FORMS
from socorro.symbols.module import InvalidSymbols

_SUFFIXES = tuple(f".sym{form}" for form in FORMS)
# Firefox's archive for all its modules has some hundred entries.
_MAX_ZIP_ENTRIES = 200_000
# Unpacked, as its directory declares it; zipfile reads no more of an entry than that.
_MAX_ZIP_SIZE = 64 * 2**30
# What reading a file of an archive, or one on disk, may raise when it is broken; the last one is
# zipfile's, by itself and as a subclass, for passwords, compressions and features beyond it.
READ_ERRORS = (
    OSError,
    EOFError,
    UnicodeDecodeError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    zstandard.ZstdError,
    RuntimeError,
)


@dataclass(frozen=True)
class Source:
    """A file that should hold symbols; `name` is for messages, `open` gives its bytes."""

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


def sources(path: Path) -> Iterator[Source]:
    """Yield the symbol files of a folder (with those below it), an archive, or a single file.

    Raises InvalidSymbols where there are none.
    """
    if path.is_dir():
        found = _in_folder(path)
    elif not path.is_file():
        raise InvalidSymbols("there is no such file or folder")
    elif path.suffix.lower() == ".zip":
        found = _in_archive(path)
    else:
        found = iter([_on_disk(path)])
    return _some(found)


def _some(found: Iterator[Source]) -> Iterator[Source]:
    first = next(found, None)
    if first is None:
        raise InvalidSymbols("there are no .sym, .sym.gz or .sym.zst files in it")
    yield first
    yield from found


def _on_disk(path: Path) -> Source:
    return Source(str(path), lambda: path.open("rb"))


def _in_folder(folder: Path) -> Iterator[Source]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            # A named pipe or a device would block whoever opens it.
            if name.lower().endswith(_SUFFIXES) and path.is_file():
                yield _on_disk(path)


def _in_archive(path: Path) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > _MAX_ZIP_ENTRIES:
                raise InvalidSymbols(f"the archive has over {_MAX_ZIP_ENTRIES:,} entries")
            if sum(entry.file_size for entry in entries) > _MAX_ZIP_SIZE:
                raise InvalidSymbols(f"the archive has over {_MAX_ZIP_SIZE} bytes when unpacked")
            for entry in entries:
                if not entry.is_dir() and entry.filename.lower().endswith(_SUFFIXES):
                    yield _member(path, archive, entry)
    except READ_ERRORS as error:
        raise InvalidSymbols(f"the archive cannot be read: {error}") from error


def _member(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Source:
    def open_member() -> AbstractContextManager[BinaryIO]:
        if entry.flag_bits & 1:
            raise InvalidSymbols("it is encrypted")
        return cast("BinaryIO", archive.open(entry))

    # Entry names are for people only; where the symbols go is up to their MODULE line.
    return Source(f"{path}: {entry.filename[:300]}", open_member)
