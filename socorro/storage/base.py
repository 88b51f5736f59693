# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The interface of crash storage, its data and its errors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

# Object kinds that share the key space with dump names (``v1/<dump name>/<id>``).
RESERVED_DUMP_NAMES = frozenset(
    {"crash_report", "dump_names", "processed_crash", "raw_crash", "test"}
)
MAIN_DUMP = "upload_file_minidump"
# The whole of a save, while a client waits for its answer. Common load balancers wait for 30 s and
# more.
SAVE_SECONDS = 25.0
_DUMP_NAME = re.compile(r"[A-Za-z0-9_]{1,30}")


class StorageError(Exception):
    """Base of all errors of crash storage."""


class CrashNotFound(StorageError):
    """There is no such object for this crash id."""


class StorageUnavailable(StorageError):
    """The storage cannot be read or written now; trying again later may help."""


class StorageMisconfigured(StorageUnavailable):
    """The storage answers, but not to these settings: no such bucket, refused credentials."""


class InvalidDumpName(StorageError, ValueError):
    """A dump name cannot be part of a storage key."""


@dataclass(frozen=True)
class CrashReport:
    """A report as the collector hands it to storage.

    `annotations` is the whole raw crash, ready to be written as JSON, or a file that is that JSON.
    `dumps` maps dump names to complete files. Files lie in the spool folder of the storage, or of
    another one; the storage that keeps the report takes them over.
    """

    crash_id: str
    annotations: Mapping[str, Any] | Path
    dumps: Mapping[str, Path] = field(default_factory=dict)


class CrashStorage(Protocol):
    """Where crashes are kept. All methods are safe in many threads and processes.

    Every method raises StorageUnavailable when the storage does not answer or refuses, and
    InvalidCrashId for an id that is none, before it touches anything. Every ``load`` raises
    StorageError for an object that something else than this interface has damaged.
    """

    @property
    def engine(self) -> str:
        """Which engine it is, and where, in one line for people; nothing is opened."""
        ...

    @property
    def spool(self) -> Path:
        """Local folder for dumps on their way in; on the same file system where that helps.

        Who puts a file there removes it again if it is not saved.
        """
        ...

    def save_raw_crash(self, report: CrashReport) -> None:
        """Store a report durably: dumps, then dump names, the raw crash last.

        When it returns, the report survives a power cut; when it raises, or its process is
        killed, no reader sees the report, unless the storage kept it and only its answer was lost.
        The order makes the raw crash the sign of a complete report. Raises InvalidDumpName, and
        ValueError for annotations that are not JSON (NaN, infinity). It ends within about
        `SAVE_SECONDS`, unless the operating system itself hangs. When it raises, the spooled files
        are where they were, so that another storage can take them.

        A report of the same id is replaced. In a folder it is not to be seen meanwhile; elsewhere
        its annotations may be seen with new dumps for a moment, and after a save that failed. (The
        collector replaces none: it looks first.)
        """
        ...

    def load_raw_crash(self, crash_id: str) -> dict[str, Any]:
        """Return the annotations of a report. Raises CrashNotFound."""
        ...

    def fetch_raw_crash(self, crash_id: str, folder: Path) -> Path:
        """Return a local, read-only file with a report's annotations, byte for byte as stored.

        It is made in `folder` unless there is one already. Raises CrashNotFound.
        """
        ...

    def load_dump_names(self, crash_id: str) -> list[str]:
        """Return the names of a report's dumps, sorted. Raises CrashNotFound."""
        ...

    def fetch_dump(self, crash_id: str, name: str, folder: Path) -> Path:
        """Return a local, read-only file with the dump, made in `folder` unless one exists.

        Raises CrashNotFound, and InvalidDumpName for a name that no dump can have.
        """
        ...

    def save_processed_crash(self, crash_id: str, processed: Mapping[str, Any]) -> None:
        """Store a processed crash durably, replacing an older one at once or not at all."""
        ...

    def load_processed_crash(self, crash_id: str) -> dict[str, Any]:
        """Return a processed crash. Raises CrashNotFound."""
        ...

    def save_telemetry_crash(self, crash_id: str, document: Mapping[str, Any]) -> None:
        """Store the publicly safe part of a processed crash, as `save_processed_crash` does."""
        ...

    def load_telemetry_crash(self, crash_id: str) -> dict[str, Any]:
        """Return the publicly safe part of a processed crash. Raises CrashNotFound."""
        ...

    def has_raw_crash(self, crash_id: str) -> bool:
        """Say whether a complete report is stored."""
        ...

    def has_processed_crash(self, crash_id: str) -> bool:
        """Say whether a processed crash is stored."""
        ...

    def list_raw_crashes(self, day: date, prefix: str = "") -> Iterator[str]:
        """Yield the crash ids of a day's complete reports, sorted; `prefix` is 0 to 3 hex digits.

        The day is the one in the crash ids, UTC. Ids that come or go meanwhile may be missing.
        Raises ValueError for another prefix.
        """
        ...

    def list_days(self) -> list[date]:
        """Return the days that `list_raw_crashes` may have reports of, sorted.

        A day whose reports were all deleted may be among them.
        """
        ...

    def delete_crash(self, crash_id: str) -> None:
        """Delete everything of one crash; nothing happens when there is nothing.

        The raw crash goes first, so that a half-deleted crash is not a complete report, and the
        names of the dumps last, so that another try still finds the dumps.
        """
        ...

    def provision(self) -> None:
        """Make the folder or bucket unless it is there; one that exists is left as it is."""
        ...

    def verify(self) -> None:
        """Write, read and delete a test object. Raises StorageUnavailable with a sentence.

        Also sweeps what interrupted saves left in the spool.
        """
        ...


def dump_files(report: CrashReport) -> dict[str, Path]:
    """Return the spooled files of a report by the kinds of their objects.

    Raises InvalidDumpName, and ValueError for two names that mean the same object.
    """
    files = {kind_of_dump(name): path for name, path in report.dumps.items()}
    if len(files) < len(report.dumps):
        raise ValueError("two dumps of a report have names that mean the same object")
    return files


def spooled_files(report: CrashReport) -> list[Path]:
    """Return all files of a report, which are the storage's once it keeps the report."""
    files = list(report.dumps.values())
    return [*files, report.annotations] if isinstance(report.annotations, Path) else files


def check_dump_name(name: str) -> str:
    """Return `name` if it can be part of a key, else raise InvalidDumpName."""
    if not _DUMP_NAME.fullmatch(name) or name in RESERVED_DUMP_NAMES:
        raise InvalidDumpName(f"dump name {name[:60]!r} cannot be stored")
    return name


def kind_of_dump(name: str) -> str:
    """Return the part of the key for a dump: the main minidump's objects are called ``dump``."""
    return "dump" if name in ("", MAIN_DUMP) else check_dump_name(name)
