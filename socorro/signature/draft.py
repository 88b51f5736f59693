# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A signature in the making: what the rules of the pipeline read and change."""

from collections.abc import Callable
from dataclasses import dataclass, field

from socorro.signature.crash_data import CrashData
from socorro.signature.lists import SignatureLists
from socorro.signature.result import Step, TrailEntry

# Steps are for people; before the last rule cuts it, a signature may have any length.
_MAX_STEP_CHARS = 1_024


@dataclass(slots=True)
class Draft:
    """The state that is handed from rule to rule; `rule` is the label of the one at work."""

    crash: CrashData
    lists: SignatureLists
    signature: str = ""
    proto_signature: str | None = None
    notes: list[str] = field(default_factory=list)
    trail: tuple[TrailEntry, ...] = ()
    steps: list[Step] = field(default_factory=list)
    rule: str = ""

    def prepend(self, label: str) -> None:
        self.signature = f"{label} | {self.signature}"

    def note(self, text: str) -> None:
        """Notes are public: no addresses, paths or annotations that are not."""
        self.notes.append(f"{self.rule}: {text}")


@dataclass(frozen=True, slots=True)
class Rule:
    """A step of the pipeline: `act` changes the draft, or leaves it if it has nothing to say.

    `label` is its name in notes and in the steps of a result.
    """

    label: str
    act: Callable[[Draft], None]

    def apply(self, draft: Draft) -> None:
        """Act, and record a change of the signature as a step."""
        before = draft.signature
        draft.rule = self.label
        self.act(draft)
        if draft.signature != before:
            after = draft.signature
            draft.steps.append(Step(self.label, before[:_MAX_STEP_CHARS], after[:_MAX_STEP_CHARS]))
