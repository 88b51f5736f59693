# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""One symbol file into the store: checked as it is read, written aside, renamed."""

import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from socorro.symbol_server import FORMS
from socorro.symbols.compression import form_of, open_unpacked
from socorro.symbols.module import MAX_LINE, InvalidSymbols, Module, parse_module_line
from socorro.symbols.sources import READ_ERRORS, Source

# The largest known symbol files (of a browser's main library) come to some 2 GiB.
MAX_SIZE = 8 * 2**30
_PIECE = 2**20
_STALE_SECONDS = 86400


class StoreUnavailable(Exception):
    """The store cannot be written. The text is one sentence."""


@dataclass(frozen=True)
class Entry:
    """A symbol file that is in the store now; `changed` is false if it was there before."""

    module: Module
    path: Path
    changed: bool


def put(source: Source, store: Path) -> Entry:
    """Put the symbols of a source into the store, in the form they have: plain or compressed.

    Nothing is held in memory but a piece of the file at a time. Readers see the whole file or the
    one before it. Raises InvalidSymbols if the file is refused, StoreUnavailable if the store
    cannot be written.
    """
    try:
        with source.open() as stream, _aside(store) as aside:
            form = _copy(stream, aside)
            return _adopt(aside, form, store)
    except READ_ERRORS as error:
        raise InvalidSymbols(f"it cannot be read: {error}") from error


def _adopt(aside: Path, form: str, store: Path) -> Entry:
    """Check a file that lies aside and give it its name, unless its symbols are there already."""
    module, digest = _inspect(aside, form)
    folder = store / module.debug_file / module.debug_id
    places = {known: folder / f"{module.file_name}{known}" for known in FORMS}
    for known, path in places.items():
        if _holds(path, known, digest):
            return Entry(module, path, changed=False)
    path = places.pop(form)
    with _store_errors(store):
        folder.mkdir(parents=True, exist_ok=True)
        aside.replace(path)
        # Older symbols in another form might be found before these.
        for other in places.values():
            other.unlink(missing_ok=True)
        _sync_folder(folder)
    return Entry(module, path, changed=True)


@contextmanager
def _aside(store: Path) -> Iterator[Path]:
    """Yield a new name on the store's file system; what is left under it is removed."""
    folder = store / ".incoming"
    path = folder / uuid.uuid4().hex
    with _store_errors(store):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left."""
    oldest = time.time() - _STALE_SECONDS
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _copy(stream: BinaryIO, path: Path) -> str:
    """Write a stream to a new file, durably; return the ending of its compression.

    Raises InvalidSymbols beyond MAX_SIZE.
    """
    with _store_errors(path.parent):
        file = path.open("xb")
    with file:
        size, start = 0, b""
        while piece := stream.read(_PIECE):
            start = start or piece
            size += len(piece)
            if size > MAX_SIZE:
                raise InvalidSymbols(f"it is larger than {MAX_SIZE} bytes")
            with _store_errors(path.parent):
                file.write(piece)
        if not size:
            raise InvalidSymbols("it is empty")
        with _store_errors(path.parent):
            file.flush()
            os.fsync(file.fileno())
    return form_of(start)


def _inspect(path: Path, form: str) -> tuple[Module, bytes]:
    """Read a file to its end; return its module and a digest of its symbols, unpacked."""
    with open_unpacked(path, form) as stream:
        line = stream.readline(MAX_LINE)
        module = parse_module_line(line)
        digest = hashlib.sha256(line)
        size = len(line)
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > MAX_SIZE:
                raise InvalidSymbols(f"it is larger than {MAX_SIZE} bytes when unpacked")
            digest.update(piece)
    return module, digest.digest()


def _holds(path: Path, form: str, digest: bytes) -> bool:
    """Say whether a stored file has the symbols of this digest; a broken one has not."""
    try:
        return path.is_file() and _inspect(path, form)[1] == digest
    except (*READ_ERRORS, InvalidSymbols):
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _store_errors(store: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"The symbol store {store} cannot be written: {error}.") from error
