# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The report as such: how it was submitted, and whether it is about a crash or a hang."""

from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_INFOBAR = "Infobar"
_UNKNOWN = "Unknown"
_HANG_FIELDS = frozenset({"async_shutdown_timeout", "ipc_channel_error"})
# The function of Gecko that ends a process which does not end by itself.
_WATCHDOG = "RunWatchdog"


class SubmittedFrom(Rule):
    """``submitted_from``: the part of the application in which the user submitted the report."""

    writes = frozenset({"submitted_from", "submitted_from_infobar"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Prefer the older annotation, which knew the information bar only."""
        from_infobar = crash.text("SubmittedFromInfobar")
        if from_infobar is not None:
            submitted_from = _INFOBAR if from_infobar in ("1", "true") else _UNKNOWN
        else:
            submitted_from = crash.text("SubmittedFrom") or _UNKNOWN
        return {
            "submitted_from": submitted_from,
            "submitted_from_infobar": submitted_from == _INFOBAR,
        }


class ReportType(Rule):
    """``report_type``: ``hang`` for a program that was ended since it hung, else ``crash``."""

    reads = frozenset({"async_shutdown_timeout", "ipc_channel_error", "json_dump"})
    writes = frozenset({"report_type"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Tell by what hung, or by who ended the program."""
        hung = not _HANG_FIELDS.isdisjoint(crash.processed) or _ended_by_watchdog(crash)
        return {"report_type": "hang" if hung else "crash"}


def _ended_by_watchdog(crash: Crash) -> bool:
    """Say whether the watchdog is on the stack of the thread that crashed, else the first."""
    info = crash.json_dump.get("crash_info")
    index = info.get("crashing_thread") if isinstance(info, dict) else None
    return any(
        _WATCHDOG in (frame.get("function") or "")
        for frame in crash.frames_of(index if isinstance(index, int) else 0)
    )
