# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Notes about what the collector did to a report, stored with it for people to read."""

# A hostile report could earn a note for each of its parts.
_MAX_NOTES = 100
_MAX_CHARS = 300


class Notes:
    """The collector's notes of one report."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._left_out = 0

    def add(self, note: str) -> None:
        """Keep a note, cut to a sane length; a note that is there already is not repeated."""
        note = note[:_MAX_CHARS]
        if note in self._notes:
            return
        if len(self._notes) >= _MAX_NOTES:
            self._left_out += 1
            return
        self._notes.append(note)

    def texts(self) -> list[str]:
        """The notes in order; the last one says how many were left out, if any were."""
        if self._left_out:
            return [*self._notes, f"{self._left_out} more notes were left out"]
        return list(self._notes)
