# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Notices that code changed, for `socorro run --dev`."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# The rooms whose processes do not watch their own code, and what they import or read.
_WATCHED = ("processor", "cron", "socorro", "siglists")
_SUFFIXES = (".py", ".yaml", ".txt")


class Sources:
    """The times at which the watched files were last written."""

    def __init__(self) -> None:
        self._seen = _times()

    def changed(self) -> bool:
        """Say whether a file was written, added or removed since the last time this was asked."""
        before, self._seen = self._seen, _times()
        return before != self._seen


def _times() -> dict[Path, int]:
    times = {}
    for room in _WATCHED:
        for path in (_ROOT / room).rglob("*"):
            if path.suffix in _SUFFIXES:
                try:
                    times[path] = path.stat().st_mtime_ns
                except FileNotFoundError:
                    # An editor replaced it this moment; the next look sees the new one.
                    continue
    return times
