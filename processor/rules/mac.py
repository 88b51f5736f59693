# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What minidumps of macOS say beside the stacks."""

import json
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule


class MacBootArgs(Rule):
    """``mac_boot_args``: the options that the system was started with, which some users change."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"has_mac_boot_args", "mac_boot_args"})

    def applies(self, crash: Crash) -> bool:
        """Only where the minidump has some."""
        return bool(crash.json_dump.get("mac_boot_args"))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Copy them; blanks alone are none."""
        arguments = crash.json_dump["mac_boot_args"]
        if not isinstance(arguments, str):
            crash.note("mac_boot_args is not a text")
            return {}
        bare = arguments.strip()
        return {"mac_boot_args": bare, "has_mac_boot_args": True} if bare else {}


class MacCrashInfo(Rule):
    """``mac_crash_info``: what system libraries wrote down before they ended the program."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"mac_crash_info"})

    def applies(self, crash: Crash) -> bool:
        """Only where there are records."""
        info = crash.json_dump.get("mac_crash_info")
        count = info.get("num_records") if isinstance(info, dict) else None
        return isinstance(count, int) and count > 0

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Write them as JSON, which search takes as one text."""
        return {"mac_crash_info": json.dumps(crash.json_dump["mac_crash_info"], sort_keys=True)}
