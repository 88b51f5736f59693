# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reports that a client sends again because the answer to the first was lost.

Crashpad gives each report a UUID (`guid`) that stays the same when it is sent again. What was taken
in a day is remembered as symbolic links, one for each report: making and reading one is a single
system call, so nothing can be half there, whoever is killed.
"""

# ruff: noqa: PTH108, PTH115, PTH208, PTH211

import contextlib
import hashlib
import logging
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from socorro.crash_id import is_crash_id

logger = logging.getLogger(__name__)

_UUID = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
_NIL = frozenset("0-{}")
_MEMORY = timedelta(days=1)


class Duplicates:
    """Remembers the reports of a day in a folder. Safe in threads and processes.

    A folder for each day holds the links; of them, two are there. This is in the way of each report
    that has a guid, so paths are texts and nothing is asked that may be tried.
    Nothing here may cost a report, so errors are only logged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def earlier(self, guid: object, sha256: str, now: datetime) -> str | None:
        """Return the crash id of the last report with this guid and minidump within a day.

        `sha256` is that of the main minidump, in hex; `now` is aware. None if there is none, and
        for a guid that is no UUID: Breakpad sends 0 for all.
        """
        name = _name_of(guid, sha256)
        if name is None:
            return None
        try:
            return self._find(name, now)
        except OSError as error:
            logger.warning("cannot look for duplicates: %s", error)
            return None

    def remember(self, guid: object, sha256: str, crash_id: str, now: datetime) -> None:
        """Keep a report in mind. For when it is stored: one that is not must not be referred to."""
        name = _name_of(guid, sha256)
        if name is None:
            return
        folder = self._folder / _day(now)
        link = f"{folder}/{name}"
        try:
            try:
                os.symlink(crash_id, link)
            except FileNotFoundError:
                self._begin(folder, now)
                os.symlink(crash_id, link)
            except FileExistsError:
                # The newest report of a day counts; a link cannot be changed.
                os.unlink(link)
                os.symlink(crash_id, link)
        except (FileExistsError, FileNotFoundError):
            # The same report came twice in this moment.
            return
        except OSError as error:
            logger.warning("cannot remember a report: %s", error)

    def _find(self, name: str, now: datetime) -> str | None:
        for day in self._days():
            link = f"{self._folder}/{day}/{name}"
            with contextlib.suppress(FileNotFoundError):
                crash_id = os.readlink(link)
                made = datetime.fromtimestamp(os.lstat(link).st_mtime, UTC)
                if abs(now - made) <= _MEMORY and is_crash_id(crash_id):
                    return crash_id
        return None

    def _days(self) -> list[str]:
        """Return the names of the folders, the latest first."""
        try:
            return sorted(os.listdir(self._folder), reverse=True)
        except FileNotFoundError:
            return []

    def _begin(self, folder: Path, now: datetime) -> None:
        """Make the folder of a day, and forget those that are older than the day before."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for day in self._days():
            if day.isdigit() and day < _day(now - _MEMORY):
                shutil.rmtree(self._folder / day, ignore_errors=True)


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d}"


def _name_of(guid: object, sha256: str) -> str | None:
    """Return the name of a report's link, None if nothing is to be remembered of it."""
    if not isinstance(guid, str) or not _UUID.fullmatch(guid) or set(guid) <= _NIL:
        return None
    if not sha256:
        return None
    # Of the guid only what can tell it from others is kept.
    return hashlib.sha256(f"{guid.strip('{}').lower()} {sha256}".encode()).hexdigest()
