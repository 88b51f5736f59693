# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a rule inherits: nothing declared, and applying to every crash."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash


class Rule(ABC):
    """Base of the rules; see `processor.pipeline.Rule` for what is asked of one."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def applies(self, crash: Crash) -> bool:  # noqa: ARG002 - rules that choose look at it
        """Say whether the rule has something to do for this crash; by default it has."""
        return True

    @abstractmethod
    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Return the fields to set."""
