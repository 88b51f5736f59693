# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash ids: make, parse and check them.

A crash id is a lower-case UUID-shaped text of 36 characters whose last seven are the throttle
digit and the UTC date of collection: ``xxxxxxxx-xxxx-xxxx-xxxx-xxxxxTYYMMDD``.
"""

import re
import secrets
from datetime import UTC, date, datetime
from enum import IntEnum
from urllib.parse import urlsplit

_CRASH_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{6}[0-9]{6}")
_PREFIX = "bp-"


class InvalidCrashId(ValueError):
    """The text is not a crash id."""


class Throttle(IntEnum):
    """The throttle digit: what the collector decided about the report."""

    ACCEPT = 0
    DEFER = 1
    REJECT = 2
    FAKE_ACCEPT = 3


def make_crash_id(now: datetime, throttle: Throttle = Throttle.ACCEPT) -> str:
    """Return a new random crash id for a report that arrived at `now` (aware).

    Random bits come from the operating system: ids must not be guessable, since they are the
    address of a report.
    """
    random = secrets.token_hex(16)
    variant = "89ab"[int(random[16], 16) & 3]
    head = f"{random[:8]}-{random[8:12]}-4{random[13:16]}-{variant}{random[17:20]}-{random[20:25]}"
    return f"{head}{throttle:d}{now.astimezone(UTC):%y%m%d}"


def parse_crash_id(text: str) -> str:
    """Return the bare crash id in `text`, which may start with ``bp-``.

    Raises InvalidCrashId when it is not one: wrong shape, or a date that does not exist.
    """
    bare = text.removeprefix(_PREFIX)
    # fullmatch, since `$` would let a trailing newline through into paths and answers.
    if not _CRASH_ID.fullmatch(bare):
        raise InvalidCrashId(f"not a crash id: {text[:80]!r}")
    date_of(bare)
    return bare


def pasted_crash_id(text: str) -> str:
    """Return the crash id in what somebody pasted: an id, ``bp-`` id or address of a report.

    Raises InvalidCrashId.
    """
    try:
        last = urlsplit(text).path.rstrip("/").rpartition("/")[2] if "/" in text else text
    except ValueError as error:
        raise InvalidCrashId(f"not an address: {text[:80]!r}") from error
    return parse_crash_id(last.lower())


def is_crash_id(text: object) -> bool:
    """Say whether `text` is a bare crash id with a date that exists."""
    if not isinstance(text, str) or not _CRASH_ID.fullmatch(text):
        return False
    try:
        date_of(text)
    except InvalidCrashId:
        return False
    return True


def date_of(crash_id: str) -> date:
    """Return the UTC day of collection in a crash id. Raises InvalidCrashId if there is none."""
    digits = crash_id[-6:]
    try:
        return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError as error:
        raise InvalidCrashId(f"no date in crash id: {crash_id[:80]!r}") from error


def throttle_of(crash_id: str) -> int:
    """Return the throttle digit of a crash id; other systems' ids may hold a hex digit there."""
    return int(crash_id[-7], 16)
