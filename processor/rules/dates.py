# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""When it happened: collection, crash, start of the process, installation."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.crash_id import date_of

_MAX_INTEGER = 2**63 - 1
# The last second of the year 9999: datetime ends there.
_MAX_EPOCH = 253402300799
_WHOLE_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,19})(\.[0-9]*)?\s*")


class DatesAndTimes(Rule):
    """Dates in UTC, ages and uptime in seconds."""

    reads = frozenset({"startup_time"})
    writes = frozenset(
        {
            "client_crash_date",
            "crash_time",
            "date_processed",
            "install_age",
            "install_time",
            "last_crash",
            "startup_time",
            "submitted_timestamp",
            "uptime",
        }
    )

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Start from the time of collection, which always exists, and add what the client said."""
        submitted = self._submitted(crash)
        submitted_epoch = int(submitted.timestamp())
        crash_time = self._crash_time(crash, submitted_epoch)
        startup_time = crash.processed.get("startup_time")
        if not isinstance(startup_time, int):
            startup_time = crash_time
        install_time = self._install_time(crash, startup_time)
        return {
            "submitted_timestamp": submitted.isoformat(),
            "date_processed": submitted.isoformat(),
            "crash_time": crash_time,
            "client_crash_date": datetime.fromtimestamp(crash_time, UTC).isoformat(),
            "startup_time": startup_time,
            "install_time": install_time,
            "install_age": crash_time - install_time,
            "uptime": max(0, crash_time - startup_time),
            "last_crash": self._last_crash(crash),
        }

    def _submitted(self, crash: Crash) -> datetime:
        try:
            stamp = datetime.fromisoformat(crash.text("submitted_timestamp") or "")
        except ValueError:
            crash.note("submitted_timestamp is missing or bad: using the day in the crash id")
            day = date_of(crash.crash_id)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)

    def _crash_time(self, crash: Crash, submitted: int) -> int:
        text = crash.text("CrashTime")
        if text is None:
            crash.note("WARNING: raw_crash missing CrashTime")
            return submitted
        seconds = _seconds(text)
        if seconds is None or not 0 <= seconds <= _MAX_EPOCH:
            crash.note("CrashTime is not a time: using 0")
            return 0
        if seconds == submitted:
            crash.note("client_crash_date is unknown")
        return seconds

    def _install_time(self, crash: Crash, startup_time: int) -> int:
        text = crash.text("InstallTime")
        if text is None:
            return startup_time
        seconds = _seconds(text)
        if seconds is None or not 0 <= seconds <= _MAX_EPOCH:
            crash.note("InstallTime is not a time: using 0")
            return 0
        return seconds

    def _last_crash(self, crash: Crash) -> int | None:
        text = crash.text("SecondsSinceLastCrash")
        if text is None:
            return None
        seconds = _seconds(text)
        if seconds is None or abs(seconds) > _MAX_INTEGER:
            crash.note("SecondsSinceLastCrash is not a number of seconds")
            return None
        return seconds


def _seconds(text: str) -> int | None:
    match = _WHOLE_NUMBER.fullmatch(text)
    return int(match[1]) if match else None
