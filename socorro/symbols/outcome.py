# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What came of looking for symbols on servers."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Why(StrEnum):
    """Why there are no symbols; the stackwalker knows the same words."""

    NOT_FOUND = "not_found"
    CORRUPT = "corrupt"
    TOO_LARGE = "too_large"
    # Something is wrong with the cache's disk.
    UNREADABLE = "unreadable"
    SERVER_ERROR = "server_error"
    TOO_SLOW = "too_slow"


# Of several servers' reasons the last one of these counts: the one that may be gone the soonest.
_WEIGHT = {why: weight for weight, why in enumerate(Why)}


@dataclass(frozen=True)
class Missing:
    """There are no symbols, at least not now."""

    why: Why


Outcome = Path | Missing


@dataclass(frozen=True)
class Limits:
    """What downloads may take.

    `seconds` for one file, `wait` for a crash that needs it (a longer download goes on for later
    crashes), `max_bytes` for one file as it is sent, `at_once` downloads of one server.
    """

    seconds: float = 120.0
    wait: float = 20.0
    max_bytes: int = 2 * 2**30
    at_once: int = 4


class FetchError(Exception):
    """A file could not be got from a server.

    `retry_after` is the number of seconds for which the server wants no more questions.
    """

    def __init__(self, why: Why, retry_after: float = 0.0) -> None:
        super().__init__(why.value)
        self.why = why
        self.retry_after = retry_after


def weightiest(reasons: list[Why]) -> Why:
    """Return the reason to tell when each server has its own."""
    return max(reasons, key=_WEIGHT.__getitem__, default=Why.NOT_FOUND)
