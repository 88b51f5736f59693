# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What signature generation hands back."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from socorro.signature.lists import ListLine


class Action(StrEnum):
    """What a frame did to the signature."""

    BEFORE_SENTINEL = "skipped: it comes before the sentinel"
    EMPTY = "skipped: it has no name"
    IRRELEVANT = "skipped: irrelevant"
    REPEATED = "skipped: the same library as the frame before"
    PREFIX = "kept: a prefix, so the next frame is looked at as well"
    LAST = "kept: the last one"
    FALLBACK = "kept: no frame is relevant, so the first one names the crash"


class TrailEntry(NamedTuple):
    """One frame that was considered.

    - `frame` counts from 0 over the frames as they are considered, inlined functions included;
    - `name` is what the frame was normalised to;
    - `action` is what it did to the signature;
    - `matches` are the lines of the lists that had a say: a sentinel, an irrelevant or prefix
      pattern, a pattern that asks for line numbers;
    - `given` is the frame's function as the crash has it, at most 1,024 characters, "" if it has
      none.
    """

    frame: int
    name: str
    action: Action
    matches: tuple[ListLine, ...] = ()
    given: str = ""

    def document(self) -> dict[str, Any]:
        """The entry as plain JSON."""
        return {
            "frame": self.frame,
            "given": self.given,
            "name": self.name,
            "action": str(self.action),
            "matches": [asdict(line) for line in self.matches],
        }

    def __str__(self) -> str:
        matches = "".join(f" [{match}]" for match in self.matches)
        return f"{self.frame:>3} {self.name or '(no name)'}: {self.action}{matches}"


class Step(NamedTuple):
    """A rule of the pipeline that changed the signature, by its label."""

    rule: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Result:
    """The signature of a crash, and how it came about.

    - `signature`: at most 255 printable ASCII characters;
    - `proto_signature`: the normalised names of the first 40 frames joined with " | ", None where
      the signature does not come from a stack of frames;
    - `notes`: sentences for people, "Rule: sentence"; they may be shown to everyone;
    - `trail`: the frames that were considered, in order;
    - `steps`: the rules that changed the signature, in order.
    """

    signature: str
    proto_signature: str | None = None
    notes: tuple[str, ...] = ()
    trail: tuple[TrailEntry, ...] = ()
    steps: tuple[Step, ...] = ()

    def document(self, *, verbose: bool = False) -> dict[str, Any]:
        """The result as plain JSON; `verbose` adds how it came about."""
        document: dict[str, Any] = {
            "signature": self.signature,
            "proto_signature": self.proto_signature,
            "notes": list(self.notes),
        }
        if verbose:
            document["trail"] = [entry.document() for entry in self.trail]
            document["steps"] = [step._asdict() for step in self.steps]
        return document
