# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The one object that rules work on: a crash on its way from raw to processed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from socorro.metrics import METRICS


@dataclass
class Crash:
    """A crash in the middle of its processing.

    `annotations` is the raw crash with the NUL characters and nulls taken out; rules read it and
    never change it. `dumps` maps dump names to local files. `processed` holds what the rules so far
    have written; only the pipeline writes to it. `workdir` is removed after the crash.
    """

    crash_id: str
    annotations: Mapping[str, Any]
    dumps: Mapping[str, Path]
    workdir: Path
    processed: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a note to the processed crash. Notes are public: no values, no paths."""
        self.notes.append(text)

    def text(self, annotation: str) -> str | None:
        """Return an annotation as text, None if it is absent.

        Annotations that came in a JSON part may be numbers or booleans; objects are no text.
        """
        value = self.annotations.get(annotation)
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, (int, float)):
            return str(value)
        return value if isinstance(value, str) else None

    @property
    def json_dump(self) -> Mapping[str, Any]:
        """The stack walk of the main minidump; empty where there is none."""
        dump = self.processed.get("json_dump")
        return dump if isinstance(dump, dict) else {}

    @property
    def is_walked(self) -> bool:
        """Whether there is a stack walk of the main minidump, be it an empty one."""
        return isinstance(self.processed.get("json_dump"), dict)

    @property
    def crash_info(self) -> Mapping[str, Any]:
        """What the stackwalker says of the crash as such; empty where it says nothing."""
        info = self.json_dump.get("crash_info")
        return info if isinstance(info, dict) else {}

    @property
    def crashing_frames(self) -> list[dict[str, Any]]:
        """The frames of the crashing thread; empty where there is none."""
        index = self.processed.get("crashing_thread")
        return self.frames_of(index) if isinstance(index, int) else []

    def frames_of(self, thread: int) -> list[dict[str, Any]]:
        """The frames of a thread of the main minidump; empty where there is no such thread."""
        threads = self.json_dump.get("threads")
        if not isinstance(threads, list) or not 0 <= thread < len(threads):
            return []
        found = threads[thread]
        return objects_in(found.get("frames")) if isinstance(found, dict) else []


def objects_in(value: object) -> list[dict[str, Any]]:
    """Return the objects in a list of JSON; none if it is no list."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def clean_annotations(raw_crash: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations without nulls, and without NUL characters in names and texts.

    A name with a NUL keeps its value under the cleaned name, unless that name is there already.
    """
    given = {name: value for name, value in raw_crash.items() if value is not None}
    if len(given) < len(raw_crash):
        METRICS.incr("processor.denonerule.had_nones")
    if not any(_has_nul(name) or _has_nul(value) for name, value in given.items()):
        return given
    METRICS.incr("processor.denullrule.has_nulls")
    cleaned: dict[str, Any] = {}
    for name, value in sorted(given.items(), key=lambda item: _has_nul(item[0])):
        bare = value.replace("\0", "") if isinstance(value, str) else value
        cleaned.setdefault(name.replace("\0", ""), bare)
    return cleaned


def _has_nul(value: object) -> bool:
    return isinstance(value, str) and "\0" in value
