# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash reports whose content follows from their id, so that any process can check them."""

import hashlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from socorro.crash_id import make_crash_id
from socorro.storage import CrashReport, CrashStorage

DAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
DUMP_NAMES = ("memory_report", "upload_file_minidump", "upload_file_minidump_browser")


def new_id(day: datetime = DAY) -> str:
    """Return a new crash id of a day."""
    return make_crash_id(day)


def annotations_of(crash_id: str) -> dict[str, Any]:
    """Return the annotations of a made report."""
    return {"uuid": crash_id, "ProductName": "DemoApp", "Notes": crash_id * 50, "version": 2}


def dump_of(crash_id: str, name: str) -> bytes:
    """Return the content of a made report's dump, some 20 kB."""
    return hashlib.sha256(f"{crash_id}/{name}".encode()).digest() * 600


def spool(storage: CrashStorage, content: bytes) -> Path:
    """Put a file into the storage's spool, as the collector does."""
    path = storage.spool / f"{secrets.token_hex(8)}.dump"
    path.write_bytes(content)
    return path


def made_report(storage: CrashStorage, crash_id: str) -> CrashReport:
    """Return a complete report whose dumps are spooled."""
    dumps = {name: spool(storage, dump_of(crash_id, name)) for name in DUMP_NAMES}
    return CrashReport(crash_id, annotations_of(crash_id), dumps)


def check_complete(storage: CrashStorage, crash_id: str, folder: Path) -> None:
    """Fail unless all of a made report is there, byte for byte."""
    assert storage.load_raw_crash(crash_id) == annotations_of(crash_id)
    assert storage.load_dump_names(crash_id) == list(DUMP_NAMES)
    for name in DUMP_NAMES:
        path = storage.fetch_dump(crash_id, name, folder)
        assert path.read_bytes() == dump_of(crash_id, name)
