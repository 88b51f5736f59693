# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Values of stored crashes, which anybody may have written, made safe to show.

Each function takes whatever JSON holds and returns one type, or its empty value: a page shows
what is right in a crash and leaves out what is not.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LONGEST_TEXT = 20_000


def text(value: Any) -> str:
    """Return a text or number as text of at most LONGEST_TEXT characters; else the empty text.

    NUL characters and lone surrogates, which no page can carry, become the replacement character.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    shown = str(value) if isinstance(value, (str, float)) else _integer_text(value)
    if len(shown) > LONGEST_TEXT:
        shown = shown[:LONGEST_TEXT] + "…"
    if shown.isascii():
        return shown.replace("\0", "\ufffd")
    return shown.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def any_text(value: Any) -> str:
    """Return any value as text: objects and lists as JSON, booleans as true and false."""
    if isinstance(value, (dict, list, bool)):
        try:
            return text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True))
        except (ValueError, RecursionError):
            return ""
    return text(value)


def integer(value: Any) -> int | None:
    """Return an integer that fits 64 bits, else None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**63) <= value < 2**63 else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a list; what else it holds is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def moment(value: Any) -> datetime | None:
    """Return the time in an ISO 8601 text, in UTC; None if there is none."""
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def duration(seconds: int) -> str:
    """Return a number of seconds in the two units that say most: ``3 h 12 min``."""
    sign = "-" if seconds < 0 else ""
    rest = abs(seconds)
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,} {unit}")
    return sign + " ".join(parts[:2]) if parts else "0 s"


def _integer_text(value: int) -> str:
    # Python refuses to write an integer of thousands of digits.
    return str(value) if value.bit_length() < 10_000 else ""
