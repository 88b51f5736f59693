# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash storage in a folder of this machine.

Objects have the names of the S3 layout with the day and the first three digits of the id between,
``v1/raw_crash/20261122/0b5/0b5…``: a day of two million crashes is some 500 files a folder.
Every file is written aside, synced and renamed, and the folder is synced after it.
"""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import orjson

from socorro.crash_id import date_of
from socorro.storage.base import (
    CrashNotFound,
    CrashReport,
    StorageUnavailable,
    kind_of_dump,
)
from socorro.storage.encoding import decode, encode_processed_crash, encode_raw_crash

# An interrupted save leaves its file in the spool; nothing that young can be such a file.
_STALE_SPOOL_SECONDS = 86400

P = ParamSpec("P")
R = TypeVar("R")


def _os_errors(method: Callable[P, R]) -> Callable[P, R]:
    """Turn what the operating system says into the errors of the interface."""

    @wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except OSError as error:
            raise StorageUnavailable(f"crash storage: {error}") from error

    return wrapper


class FilesystemStorage:
    """`CrashStorage` below one folder."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root).absolute()
        self._spool = self._root / "spool"

    @property
    @_os_errors
    def spool(self) -> Path:
        """Folder on the storage's own file system, so that a dump is moved and not copied."""
        self._spool.mkdir(parents=True, exist_ok=True)
        return self._spool

    @_os_errors
    def save_raw_crash(self, report: CrashReport) -> None:
        """See `CrashStorage.save_raw_crash`."""
        kinds = {name: kind_of_dump(name) for name in report.dumps}
        body = encode_raw_crash(report.annotations)
        for name, path in report.dumps.items():
            self._adopt(path, self._path(kinds[name], report.crash_id))
        names = orjson.dumps(sorted(report.dumps))
        self._write(self._path("dump_names", report.crash_id), names)
        self._write(self._path("raw_crash", report.crash_id), body)

    @_os_errors
    def load_raw_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_raw_crash`."""
        return self._load("raw_crash", crash_id)

    @_os_errors
    def load_dump_names(self, crash_id: str) -> list[str]:
        """See `CrashStorage.load_dump_names`."""
        names: list[str] = orjson.loads(self._read("dump_names", crash_id))
        return sorted(names)

    @_os_errors
    def fetch_dump(self, crash_id: str, name: str, folder: Path) -> Path:  # noqa: ARG002
        """Return the stored file itself: nothing needs to be copied."""
        path = self._path(kind_of_dump(name), crash_id)
        if not path.is_file():
            raise CrashNotFound(f"{crash_id}: no dump {name}")
        return path

    @_os_errors
    def save_processed_crash(self, crash_id: str, processed: Mapping[str, Any]) -> None:
        """See `CrashStorage.save_processed_crash`."""
        self._write(self._path("processed_crash", crash_id), encode_processed_crash(processed))

    @_os_errors
    def load_processed_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_processed_crash`."""
        return self._load("processed_crash", crash_id)

    @_os_errors
    def has_raw_crash(self, crash_id: str) -> bool:
        """See `CrashStorage.has_raw_crash`."""
        return self._path("raw_crash", crash_id).is_file()

    @_os_errors
    def has_processed_crash(self, crash_id: str) -> bool:
        """See `CrashStorage.has_processed_crash`."""
        return self._path("processed_crash", crash_id).is_file()

    @_os_errors
    def list_raw_crashes(self, day: date, prefix: str = "") -> Iterator[str]:
        """See `CrashStorage.list_raw_crashes`."""
        folder = self._root / "v1" / "raw_crash" / f"{day:%Y%m%d}"
        fans = sorted(name for name in _names(folder) if name.startswith(prefix))
        return (
            name
            for fan in fans
            for name in sorted(_names(folder / fan))
            if not name.startswith(".")
        )

    @_os_errors
    def delete_crash(self, crash_id: str) -> None:
        """See `CrashStorage.delete_crash`."""
        try:
            names = self.load_dump_names(crash_id)
        except CrashNotFound:
            names = []
        dumps = [kind_of_dump(name) for name in names]
        for kind in ("raw_crash", "processed_crash", *dumps, "dump_names"):
            self._path(kind, crash_id).unlink(missing_ok=True)

    @_os_errors
    def verify(self) -> None:
        """See `CrashStorage.verify`; also sweeps what interrupted saves left in the spool."""
        path = self._root / "v1" / "test" / f"testfile-{uuid.uuid4().hex}.txt"
        self._write(path, b"test")
        if path.read_bytes() != b"test":
            raise StorageUnavailable(f"crash storage: {path} did not keep what was written")
        path.unlink()
        self._sweep_spool()

    def _sweep_spool(self) -> None:
        oldest = time.time() - _STALE_SPOOL_SECONDS
        for path in self.spool.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _path(self, kind: str, crash_id: str) -> Path:
        return self._root / "v1" / kind / f"{date_of(crash_id):%Y%m%d}" / crash_id[:3] / crash_id

    def _load(self, kind: str, crash_id: str) -> dict[str, Any]:
        return decode(self._read(kind, crash_id), f"{crash_id}: {kind}")

    def _read(self, kind: str, crash_id: str) -> bytes:
        try:
            return self._path(kind, crash_id).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise CrashNotFound(f"{crash_id}: no {kind}") from error

    def _write(self, path: Path, body: bytes) -> None:
        """Make a file durable under its name: the whole of it, or nothing of it."""
        aside = self.spool / f"{uuid.uuid4().hex}.tmp"
        try:
            with aside.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            _rename(aside, path)
        except OSError:
            aside.unlink(missing_ok=True)
            raise

    def _adopt(self, source: Path, path: Path) -> None:
        """Move a spooled file under its name, durably."""
        if source.parent != self._spool:
            aside = self.spool / f"{uuid.uuid4().hex}.tmp"
            shutil.copyfile(source, aside)
            source.unlink()
            source = aside
        _sync(source)
        _rename(source, path)


def _rename(source: Path, path: Path) -> None:
    try:
        source.replace(path)
    except FileNotFoundError:
        _make_folder(path.parent)
        source.replace(path)
    _sync(path.parent)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each entry synced into its parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
