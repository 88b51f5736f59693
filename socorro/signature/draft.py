# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A signature in the making: what the rules of the pipeline read and change."""

from collections.abc import Callable
from dataclasses import dataclass, field

from socorro.signature.crash_data import CrashData
from socorro.signature.lists import SignatureLists
from socorro.signature.result import TrailEntry


@dataclass(slots=True)
class Draft:
    """The state that is handed from rule to rule."""

    crash: CrashData
    lists: SignatureLists
    signature: str = ""
    proto_signature: str | None = None
    notes: list[str] = field(default_factory=list)
    trail: tuple[TrailEntry, ...] = ()

    def prepend(self, label: str) -> None:
        self.signature = f"{label} | {self.signature}"

    def note(self, rule: str, text: str) -> None:
        """Notes are public: no addresses, paths or annotations that are not."""
        self.notes.append(f"{rule}: {text}")


# A step of the pipeline. It changes the draft, or leaves it if it has nothing to say.
Rule = Callable[[Draft], None]
