# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the stackwalker concludes about a crash: broken memory, contradictions, guard pages."""

import json
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash, objects_in
from processor.rules.base import Rule

# A confidence is at most 1; what is beyond this is no number that a stackwalker writes.
_ABSURD = 1e9


class PossibleBitFlips(Rule):
    """``possible_bit_flips_max_confidence``: in percent, that a flipped bit caused the crash."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"possible_bit_flips_max_confidence"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Take the most probable flip; without one there is no field."""
        confidences = [
            flip["confidence"]
            for flip in objects_in(crash.crash_info.get("possible_bit_flips"))
            if _is_number(flip.get("confidence"))
        ]
        if not confidences:
            return {}
        return {"possible_bit_flips_max_confidence": int(max(confidences) * 100)}


class CrashInconsistencies(Rule):
    """``crash_inconsistencies``: facts that contradict the stated kind of crash."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"crash_inconsistencies"})

    def applies(self, crash: Crash) -> bool:
        """Only where a stack was walked."""
        return crash.is_walked

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Copy the list, null for one that the stackwalker does not make."""
        found = crash.crash_info.get("crash_inconsistencies")
        if not isinstance(found, list):
            return {"crash_inconsistencies": None}
        return {"crash_inconsistencies": [name for name in found if isinstance(name, str)]}


class GuardPageAccess(Rule):
    """``has_guard_page_access``: that the crash touched a page which looks like a guard page."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"has_guard_page_access"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Say so where it did; what was not recognised may be one all the same."""
        accesses = objects_in(crash.crash_info.get("memory_accesses"))
        touched = any(access.get("is_likely_guard_page") is True for access in accesses)
        return {"has_guard_page_access": True} if touched else {}


class SoftErrors(Rule):
    """``soft_errors``: problems that the writer of the minidump met, as JSON."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"soft_errors"})

    def applies(self, crash: Crash) -> bool:
        """Only where there are some: the stackwalker writes null for none."""
        return crash.json_dump.get("soft_errors") is not None

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Write them whole; only the index keeps less of a long one."""
        return {"soft_errors": json.dumps(crash.json_dump["soft_errors"], sort_keys=True)}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_ABSURD < value < _ABSURD
