# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What can go wrong, as a caller sees it."""

from pathlib import Path


class CrashDataError(ValueError):
    """The crash data has a value of a kind that it may not have; the message names its key."""

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(f"{key}: expected {expected}")
        self.key = key
        self.expected = expected

    def within(self, outer: str) -> "CrashDataError":
        """The same error, seen from outside of `outer`: "line" within "frames[3]"."""
        return CrashDataError(f"{outer}.{self.key}" if self.key else outer, self.expected)


class RuleError(ValueError):
    """A deployment's own rule cannot be loaded; the message names it and says why."""


class ListError(ValueError):
    """A signature list cannot be used; the message names the file, the line and the reason.

    `line` is 0 where the trouble is with the file or folder and not with one of its lines.
    """

    def __init__(self, path: Path, line: int, reason: str) -> None:
        place = f"{path}:{line}" if line else str(path)
        super().__init__(f"{place}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason
