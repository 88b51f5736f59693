# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash storage in a folder of this machine.

Objects have the names of the S3 layout with the day and the first three digits of the id between,
``v1/raw_crash/20261122/0b5/0b5…``: a day of two million crashes is some 500 files a folder.
Every file is written aside, synced and renamed, and the folder is synced after it.
"""

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from socorro.crash_id import InvalidCrashId, is_crash_id
from socorro.storage.base import (
    SAVE_SECONDS,
    CrashNotFound,
    CrashReport,
    StorageMisconfigured,
    StorageUnavailable,
    dump_files,
    kind_of_dump,
    spooled_files,
)
from socorro.storage.days import day_named
from socorro.storage.durable import DurableFiles
from socorro.storage.encoding import (
    decode_dump_names,
    decode_processed_crash,
    decode_raw_crash,
    encode_dump_names,
    encode_processed_crash,
    encode_raw_crash,
)
from socorro.storage.spool import sweep

_PREFIX = re.compile(r"[0-9a-f]{0,3}")

P = ParamSpec("P")
R = TypeVar("R")


def _os_errors(method: Callable[P, R]) -> Callable[P, R]:
    """Turn what the operating system says into the errors of the interface."""

    @wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except OSError as error:
            raise _unavailable(error) from error

    return wrapper


def _unavailable(error: OSError) -> StorageUnavailable:
    # Something else has the name of a folder: no disk that comes back will change that.
    misplaced = isinstance(error, NotADirectoryError | FileExistsError)
    kind = StorageMisconfigured if misplaced else StorageUnavailable
    return kind(f"crash storage: {error}")


class FilesystemStorage:
    """`CrashStorage` below one folder."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root).absolute()
        self._spool = self._root / "spool"
        self._files = DurableFiles(str(self._root), str(self._spool))

    @property
    def root(self) -> Path:
        """The folder, absolute."""
        return self._root

    @property
    def engine(self) -> str:
        """See `CrashStorage.engine`."""
        return f"files below {self._root}"

    @property
    @_os_errors
    def spool(self) -> Path:
        """Folder on the storage's own file system, so that a dump is moved and not copied."""
        self._files.aside()
        return self._spool

    @_os_errors
    def save_raw_crash(self, report: CrashReport) -> None:
        """See `CrashStorage.save_raw_crash`."""
        deadline = time.monotonic() + SAVE_SECONDS
        raw_crash = self._path("raw_crash", report.crash_id)
        dumps = {
            self._path(kind, report.crash_id): str(path)
            for kind, path in dump_files(report).items()
        }
        names = self._path("dump_names", report.crash_id)
        spooled_raw_crash: str | None = None
        if isinstance(report.annotations, Path):
            spooled_raw_crash = str(report.annotations)
            last = partial(self._files.adopt, spooled_raw_crash, raw_crash)
        else:
            last = partial(self._files.write, raw_crash, encode_raw_crash(report.annotations))
        # A report of the same id must not be seen with the dumps of this one.
        self._files.remove(raw_crash)
        try:
            for target, spooled in dumps.items():
                self._files.adopt(spooled, target)
                _check_time(deadline)
            self._files.write(names, encode_dump_names(report.dumps.keys()))
            _check_time(deadline)
            last()
        except (OSError, StorageUnavailable):
            self._undo({raw_crash: spooled_raw_crash, names: None, **dumps})
            raise
        _remove_all(path for path in spooled_files(report) if path.parent != self._spool)

    @_os_errors
    def load_raw_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_raw_crash`."""
        return decode_raw_crash(self._read("raw_crash", crash_id), f"{crash_id}: raw crash")

    @_os_errors
    def fetch_raw_crash(self, crash_id: str, folder: Path) -> Path:  # noqa: ARG002
        """Return the stored file itself: nothing needs to be copied."""
        path = Path(self._path("raw_crash", crash_id))
        try:
            path.stat()
        except FileNotFoundError as error:
            raise CrashNotFound(f"{crash_id}: no raw crash") from error
        return path

    @_os_errors
    def load_dump_names(self, crash_id: str) -> list[str]:
        """See `CrashStorage.load_dump_names`."""
        return decode_dump_names(self._read("dump_names", crash_id), f"{crash_id}: dump names")

    @_os_errors
    def fetch_dump(self, crash_id: str, name: str, folder: Path) -> Path:  # noqa: ARG002
        """Return the stored file itself: nothing needs to be copied."""
        path = Path(self._path(kind_of_dump(name), crash_id))
        if not path.is_file():
            raise CrashNotFound(f"{crash_id}: no dump {name}")
        return path

    @_os_errors
    def save_processed_crash(self, crash_id: str, processed: Mapping[str, Any]) -> None:
        """See `CrashStorage.save_processed_crash`."""
        path = self._path("processed_crash", crash_id)
        self._files.write(path, encode_processed_crash(processed))

    @_os_errors
    def load_processed_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_processed_crash`."""
        body = self._read("processed_crash", crash_id)
        return decode_processed_crash(body, f"{crash_id}: processed crash")

    @_os_errors
    def save_telemetry_crash(self, crash_id: str, document: Mapping[str, Any]) -> None:
        """See `CrashStorage.save_telemetry_crash`."""
        path = self._path("crash_report", crash_id)
        self._files.write(path, encode_processed_crash(document))

    @_os_errors
    def load_telemetry_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_telemetry_crash`."""
        body = self._read("crash_report", crash_id)
        return decode_processed_crash(body, f"{crash_id}: crash report")

    @_os_errors
    def has_raw_crash(self, crash_id: str) -> bool:
        """See `CrashStorage.has_raw_crash`."""
        return Path(self._path("raw_crash", crash_id)).is_file()

    @_os_errors
    def has_processed_crash(self, crash_id: str) -> bool:
        """See `CrashStorage.has_processed_crash`."""
        return Path(self._path("processed_crash", crash_id)).is_file()

    def list_raw_crashes(self, day: date, prefix: str = "") -> Iterator[str]:
        """See `CrashStorage.list_raw_crashes`."""
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"not up to three hex digits: {prefix[:80]!r}")
        return self._list(self._root / "v1" / "raw_crash" / f"{day:%Y%m%d}", prefix)

    def _list(self, folder: Path, prefix: str) -> Iterator[str]:
        try:
            fans = sorted(name for name in _names(folder) if name.startswith(prefix))
            for fan in fans:
                yield from sorted(name for name in _names(folder / fan) if is_crash_id(name))
        except OSError as error:
            raise _unavailable(error) from error

    @_os_errors
    def list_days(self) -> list[date]:
        """See `CrashStorage.list_days`."""
        names = _names(self._root / "v1" / "raw_crash")
        return sorted(day for name in names if (day := day_named(name)) is not None)

    @_os_errors
    def delete_crash(self, crash_id: str) -> None:
        """See `CrashStorage.delete_crash`."""
        try:
            names = self.load_dump_names(crash_id)
        except CrashNotFound:
            names = []
        dumps = {kind_of_dump(name) for name in names}
        results = ("processed_crash", "crash_report")
        for kind in ("raw_crash", *results, *sorted(dumps), "dump_names"):
            self._files.remove(self._path(kind, crash_id))

    @_os_errors
    def provision(self) -> None:
        """See `CrashStorage.provision`."""
        self._files.folders.ensure(str(self._root))

    @_os_errors
    def verify(self) -> None:
        """See `CrashStorage.verify`."""
        path = self._root / "v1" / "test" / f"testfile-{uuid.uuid4().hex}.txt"
        try:
            self._files.write(str(path), b"test")
            if path.read_bytes() != b"test":
                raise StorageUnavailable(f"crash storage: {path} did not keep what was written")
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        sweep(self.spool)

    def _path(self, kind: str, crash_id: str) -> str:
        # Checked here, since nothing else may ever become a part of a path.
        if not is_crash_id(crash_id):
            raise InvalidCrashId(f"not a crash id: {crash_id[:80]!r}")
        return f"{self._root}/v1/{kind}/20{crash_id[-6:]}/{crash_id[:3]}/{crash_id}"

    def _read(self, kind: str, crash_id: str) -> bytes:
        try:
            return Path(self._path(kind, crash_id)).read_bytes()
        except FileNotFoundError as error:
            raise CrashNotFound(f"{crash_id}: no {kind}") from error

    def _undo(self, files: Mapping[str, str | None]) -> None:
        """Remove what a failed save has written, and put spooled files back, as far as we can."""
        for path, spooled in files.items():
            with contextlib.suppress(OSError):
                if spooled is None:
                    self._files.remove(path)
                else:
                    self._files.give_back(path, spooled)


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise StorageUnavailable(
            f"crash storage: the report was not stored within {SAVE_SECONDS:g} s"
        )


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        # The report is stored; what cannot be removed is swept later.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
