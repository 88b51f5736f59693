# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the program itself said about why it ended."""

from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

# Reasons are constants of the program, but for these, which quote what the user's data made of it.
_QUOTING = (
    "Failed to load module",
    "byte index",
    "do not use eval with system privileges",
)
_SANITIZED = "sanitized--see moz_crash_reason_raw"


class MozCrashReason(Rule):
    """``moz_crash_reason``, for all, and ``moz_crash_reason_raw``, for those who may see it."""

    writes = frozenset({"moz_crash_reason", "moz_crash_reason_raw"})

    def applies(self, crash: Crash) -> bool:
        """Only where there is a reason."""
        return bool(crash.text("MozCrashReason"))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Keep back a reason that may quote private data."""
        reason = crash.text("MozCrashReason") or ""
        public = _SANITIZED if reason.startswith(_QUOTING) else reason
        return {"moz_crash_reason_raw": reason, "moz_crash_reason": public}
