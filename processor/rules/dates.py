# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""When it happened: collection, crash, start of the process, installation."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.crash_id import date_of

_MAX_INTEGER = 2**63 - 1
# So that no difference of a time of the client and another is too large for the index.
_MAX_TIME = 2**62
# A time in seconds has ten digits until the year 2286; what follows may be a fraction.
_CRASH_TIME_CHARS = 10
_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,30})\s*", re.ASCII)


class DatesAndTimes(Rule):
    """Dates in UTC, ages and uptime in seconds."""

    reads = frozenset({"startup_time"})
    writes = frozenset(
        {
            "client_crash_date",
            "crash_time",
            "date_processed",
            "install_age",
            "last_crash",
            "submitted_timestamp",
            "uptime",
        }
    )

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Start from the time of collection, which always exists, and add what the client said."""
        stamp, submitted = _submitted(crash)
        crash_time = _crash_time(crash, int(submitted.timestamp()))
        startup_time = crash.processed.get("startup_time")
        if not isinstance(startup_time, int) or abs(startup_time) > _MAX_TIME:
            startup_time = crash_time
        return {
            "submitted_timestamp": stamp,
            "date_processed": stamp,
            "crash_time": crash_time,
            "client_crash_date": datetime.fromtimestamp(crash_time, UTC).isoformat(),
            "install_age": crash_time - _install_time(crash, startup_time),
            "uptime": max(0, crash_time - startup_time),
            "last_crash": _last_crash(crash),
        }


def _submitted(crash: Crash) -> tuple[str, datetime]:
    """Return the time of collection, as the collector wrote it if that is UTC."""
    text = crash.text("submitted_timestamp") or ""
    try:
        submitted = datetime.fromisoformat(text)
        if submitted.utcoffset() == timedelta(0):
            return text, submitted
        submitted = submitted.replace(tzinfo=submitted.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        crash.note("submitted_timestamp is missing or bad: using the day in the crash id")
        submitted = _day_of(crash)
    return submitted.isoformat(), submitted


def _day_of(crash: Crash) -> datetime:
    try:
        day = date_of(crash.crash_id)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _crash_time(crash: Crash, submitted: int) -> int:
    text = crash.text("CrashTime")
    if text is None:
        crash.note("WARNING: raw_crash missing CrashTime")
        seconds: int | None = submitted
    else:
        seconds = _integer(text[:_CRASH_TIME_CHARS])
    if seconds is None:
        crash.note('non-integer value of "CrashTime"')
        return 0
    if seconds == submitted:
        crash.note("client_crash_date is unknown")
    return seconds


def _install_time(crash: Crash, startup_time: int) -> int:
    given = crash.annotations.get("InstallTime")
    if given is None:
        return startup_time
    seconds = _integer(given)
    if seconds is None or abs(seconds) > _MAX_TIME:
        crash.note('non-integer value of "InstallTime"')
        return 0
    return seconds


def _last_crash(crash: Crash) -> int | None:
    given = crash.annotations.get("SecondsSinceLastCrash")
    if given is None:
        return None
    seconds = _integer(given)
    if seconds is None:
        crash.note('non-integer value of "SecondsSinceLastCrash"')
    elif abs(seconds) > _MAX_INTEGER:
        crash.note('"SecondsSinceLastCrash" larger than MAXINT - set to NULL')
        return None
    return seconds


def _integer(value: object) -> int | None:
    """Return the whole number that an annotation holds, as text or as a number or truth value."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    match = _INTEGER.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else None
