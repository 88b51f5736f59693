# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What rules inherit: nothing declared, and applying to every crash or to chosen products."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash


class Rule(ABC):
    """Base of the rules; see `processor.pipeline.Rule` for what is asked of one.

    A deployment's own rule runs before the rule of the class name `runs_before`; without one, after
    all others. The order of ours is the one in `processor.ruleset`.
    """

    runs_before: str | None = None
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def applies(self, crash: Crash) -> bool:  # noqa: ARG002 - rules that choose look at it
        """Say whether the rule has something to do for this crash; by default it has."""
        return True

    @abstractmethod
    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Return the fields to set."""


class ProductRule(Rule):
    """A rule for the products that want it: those whose file lists its class under `rules`."""

    def __init__(self, products: frozenset[str]) -> None:
        """Take the names of these products."""
        self._products = products

    def applies(self, crash: Crash) -> bool:
        """Only for crashes of these products that it concerns."""
        return crash.processed.get("product") in self._products and self.concerns(crash)

    def concerns(self, crash: Crash) -> bool:  # noqa: ARG002 - rules that choose look at it
        """Say whether it has something to do for a crash of these products; by default it has."""
        return True
