# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash storage in a bucket of S3, or of a server that speaks its language.

The keys are those that every tool for Socorro's buckets knows: ``v1/raw_crash/20261122/0b5…`` with
the day, so that raw crashes can be listed, and ``v1/dump/0b5…`` without.
"""

import os
import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from socorro.aws import AwsUrl, PerProcess
from socorro.crash_id import InvalidCrashId, date_of, is_crash_id
from socorro.storage.base import (
    SAVE_SECONDS,
    CrashNotFound,
    CrashReport,
    dump_files,
    kind_of_dump,
    spooled_files,
)
from socorro.storage.bucket import Bucket
from socorro.storage.days import day_named
from socorro.storage.encoding import (
    decode_dump_names,
    decode_processed_crash,
    decode_raw_crash,
    encode_dump_names,
    encode_processed_crash,
    encode_raw_crash,
)
from socorro.storage.spool import private_spool, sweep
from socorro.storage.uploads import TooLate, UploadThreads, run_all

_DATED = frozenset({"crash_report", "raw_crash"})
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[0-9a-f]{0,3}")
_RAW_CRASHES = "v1/raw_crash/"


class S3Storage:
    """`CrashStorage` in one bucket.

    A save that fails deletes nothing. What looks like a failure may be a success whose answer was
    lost, or be one a little later; and its client sends the report again, perhaps with the same id
    of its own choice. A delete that comes after that would take an acknowledged crash away. What
    stays behind is dumps without a raw crash, which no reader sees.
    """

    def __init__(self, url: str) -> None:
        """Take ``s3://BUCKET?endpoint=URL&region=NAME&spool=FOLDER``.

        Nothing is opened. Raises ValueError with what the URL must be.
        """
        parsed = AwsUrl.parse(url, options=("spool",))
        if not _BUCKET.fullmatch(parsed.name):
            raise ValueError(
                "must name a bucket: 3 to 63 lower-case letters, digits, dots and hyphens"
            )
        self._url = parsed
        self._bucket = Bucket(parsed)
        self._threads = PerProcess(UploadThreads)

    @property
    def engine(self) -> str:
        """See `CrashStorage.engine`."""
        return f"S3 bucket {self._url.name} {self._url.place}"

    @property
    def spool(self) -> Path:
        """Folder of this machine: the one of the URL, or one among the temporary files."""
        with self._bucket.errors():
            named = self._url.options.get("spool")
            if not named:
                return private_spool()
            folder = Path(named).absolute()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return folder

    def save_raw_crash(self, report: CrashReport) -> None:
        """See `CrashStorage.save_raw_crash`; one request for each object."""
        deadline = time.monotonic() + SAVE_SECONDS
        raw_crash = _key("raw_crash", report.crash_id)
        dumps = {_key(kind, report.crash_id): path for kind, path in dump_files(report).items()}
        names = _key("dump_names", report.crash_id)
        abandoned = threading.Event()
        if isinstance(report.annotations, Path):
            last = partial(self._bucket.put_file, raw_crash, report.annotations, abandoned)
        else:
            last = partial(self._bucket.put, raw_crash, encode_raw_crash(report.annotations))
        with self._bucket.errors():
            _check_readable(spooled_files(report))
        first = [
            *(partial(self._bucket.put_file, key, path, abandoned) for key, path in dumps.items()),
            partial(self._bucket.put, names, encode_dump_names(report.dumps.keys())),
        ]
        threads = self._threads.get()
        try:
            run_all(threads.side_by_side, first, deadline)
            run_all(threads.last, [last], deadline)
        except TooLate as error:
            raise self._bucket.unavailable(
                f"the report was not stored within {SAVE_SECONDS:g} s"
            ) from error
        finally:
            abandoned.set()
        _remove(spooled_files(report))

    def load_raw_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_raw_crash`."""
        return decode_raw_crash(self._read("raw_crash", crash_id), f"{crash_id}: raw crash")

    def fetch_raw_crash(self, crash_id: str, folder: Path) -> Path:
        """See `CrashStorage.fetch_raw_crash`; it is never held in memory."""
        return self._fetch("raw_crash", crash_id, folder, "raw crash")

    def load_dump_names(self, crash_id: str) -> list[str]:
        """See `CrashStorage.load_dump_names`."""
        return decode_dump_names(self._read("dump_names", crash_id), f"{crash_id}: dump names")

    def fetch_dump(self, crash_id: str, name: str, folder: Path) -> Path:
        """See `CrashStorage.fetch_dump`; the dump is never held in memory."""
        return self._fetch(kind_of_dump(name), crash_id, folder, f"dump {name}")

    def save_processed_crash(self, crash_id: str, processed: Mapping[str, Any]) -> None:
        """See `CrashStorage.save_processed_crash`."""
        self._bucket.put(_key("processed_crash", crash_id), encode_processed_crash(processed))

    def load_processed_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_processed_crash`."""
        body = self._read("processed_crash", crash_id)
        return decode_processed_crash(body, f"{crash_id}: processed crash")

    def save_telemetry_crash(self, crash_id: str, document: Mapping[str, Any]) -> None:
        """See `CrashStorage.save_telemetry_crash`."""
        self._bucket.put(_key("crash_report", crash_id), encode_processed_crash(document))

    def load_telemetry_crash(self, crash_id: str) -> dict[str, Any]:
        """See `CrashStorage.load_telemetry_crash`."""
        body = self._read("crash_report", crash_id)
        return decode_processed_crash(body, f"{crash_id}: crash report")

    def has_raw_crash(self, crash_id: str) -> bool:
        """See `CrashStorage.has_raw_crash`."""
        return self._bucket.has(_key("raw_crash", crash_id))

    def has_processed_crash(self, crash_id: str) -> bool:
        """See `CrashStorage.has_processed_crash`."""
        return self._bucket.has(_key("processed_crash", crash_id))

    def list_raw_crashes(self, day: date, prefix: str = "") -> Iterator[str]:
        """See `CrashStorage.list_raw_crashes`; a request for each thousand ids."""
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"not up to three hex digits: {prefix[:80]!r}")
        folder = f"{_RAW_CRASHES}{day:%Y%m%d}/"
        names = (key.removeprefix(folder) for key in self._bucket.keys(folder + prefix))
        # An id below another day than its own could not be loaded.
        return (name for name in names if is_crash_id(name) and date_of(name) == day)

    def list_days(self) -> list[date]:
        """See `CrashStorage.list_days`; one request, or one for each thousand days."""
        names = (name.removeprefix(_RAW_CRASHES) for name in self._bucket.folders(_RAW_CRASHES))
        return sorted(day for name in names if (day := day_named(name.rstrip("/"))) is not None)

    def delete_crash(self, crash_id: str) -> None:
        """See `CrashStorage.delete_crash`; up to four requests."""
        raw_crash, dump_names = _key("raw_crash", crash_id), _key("dump_names", crash_id)
        body = self._bucket.get(dump_names)
        names = [] if body is None else decode_dump_names(body, f"{crash_id}: dump names")
        kinds = {"processed_crash", "crash_report", *map(kind_of_dump, names)}
        self._bucket.delete(raw_crash)
        self._bucket.delete_all([_key(kind, crash_id) for kind in sorted(kinds)])
        if body is not None:
            self._bucket.delete(dump_names)

    def provision(self) -> None:
        """See `CrashStorage.provision`."""
        self._bucket.make()

    def verify(self) -> None:
        """See `CrashStorage.verify`; four requests."""
        self._bucket.verify(f"test/testfile-{uuid.uuid4()}.txt", b"test")
        with self._bucket.errors():
            sweep(self.spool)

    def close(self) -> None:
        """Close this process's connections and end its threads; another call opens new ones."""
        for threads in self._threads.forget():
            threads.close()
        self._bucket.close()

    def _fetch(self, kind: str, crash_id: str, folder: Path, what: str) -> Path:
        key = _key(kind, crash_id)
        aside = folder / f"{uuid.uuid4().hex}.tmp"
        with self._bucket.errors():
            try:
                with open(aside, "xb", opener=_only_for_us) as file:
                    found = self._bucket.get_into(key, file)
                if not found:
                    raise CrashNotFound(f"{crash_id}: no {what}")
                return aside.replace(folder / f"{crash_id}.{kind}")
            finally:
                aside.unlink(missing_ok=True)

    def _read(self, kind: str, crash_id: str) -> bytes:
        body = self._bucket.get(_key(kind, crash_id))
        if body is None:
            raise CrashNotFound(f"{crash_id}: no {kind}")
        return body


def _key(kind: str, crash_id: str) -> str:
    # Checked here, since nothing else may ever become a part of a key.
    if not is_crash_id(crash_id):
        raise InvalidCrashId(f"not a crash id: {crash_id[:80]!r}")
    day = f"{date_of(crash_id):%Y%m%d}/" if kind in _DATED else ""
    return f"v1/{kind}/{day}{crash_id}"


def _check_readable(paths: Iterable[Path]) -> None:
    """Raise OSError for a file that cannot be read, before anything is sent."""
    for path in paths:
        with path.open("rb"):
            pass


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        # The report is stored; what cannot be removed is swept later.
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _only_for_us(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
