# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The throttler: decides what becomes of a report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from socorro.crash_id import Throttle


@dataclass(frozen=True)
class Verdict:
    """A decision and the name of the rule that made it."""

    rule: str
    result: Throttle


class Throttler(Protocol):
    """Judges reports. Safe in many threads."""

    def judge(self, raw_crash: Mapping[str, Any]) -> Verdict:
        """Decide on a report, from its annotations and the collector's own keys."""
        ...


class AcceptEverything:
    """The throttler of a deployment that has no rules."""

    def judge(self, raw_crash: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Accept."""
        return Verdict("accept_everything", Throttle.ACCEPT)
