# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The modules of the crashed process: those on the stack, and those without symbols."""

import re
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_NOT_IN_IDS = re.compile(r"[^A-Fa-f0-9]")
_NO_DEBUG_ID = "0" * 33


class ModulesInStack(Rule):
    """``modules_in_stack``: ``file/debug id`` of the modules on the crashing thread's stack."""

    reads = frozenset({"crashing_thread", "json_dump"})
    writes = frozenset({"modules_in_stack"})

    def applies(self, crash: Crash) -> bool:
        """Only where a stack was walked."""
        return bool(crash.json_dump)

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Join the pairs with semicolons, sorted."""
        named = {frame.get("module") for frame in crash.crashing_frames} - {None}
        pairs = {
            f"{_clean(module.get('filename'), _NOT_IN_FILE_NAMES)}/"
            f"{_clean(module.get('debug_id'), _NOT_IN_IDS)}"
            for module in crash.json_dump.get("modules") or []
            if module.get("filename") in named
        }
        return {"modules_in_stack": ";".join(sorted(pairs))}


class MissingSymbols(Rule):
    """``missing_symbols``: ``file/version/debug id[/code id]`` of modules without symbols.

    When symbols are added, the crashes that name their debug ids here are processed again.
    """

    reads = frozenset({"json_dump"})
    writes = frozenset({"missing_symbols"})

    def applies(self, crash: Crash) -> bool:
        """Only where a stack was walked."""
        return bool(crash.json_dump.get("modules"))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Join the entries with semicolons, sorted; a slash in a version is escaped."""
        entries = {
            _entry(module)
            for module in crash.json_dump.get("modules") or []
            if module.get("missing_symbols")
        }
        return {"missing_symbols": ";".join(sorted(entries))} if entries else {}


def _entry(module: Mapping[str, Any]) -> str:
    version = str(module.get("version") or "None").replace(";", "").replace("/", "\\/")
    parts = [
        _clean(module.get("filename"), _NOT_IN_FILE_NAMES),
        version,
        _clean(module.get("debug_id"), _NOT_IN_IDS) or _NO_DEBUG_ID,
    ]
    code_id = _clean(module.get("code_id"), _NOT_IN_IDS)
    return "/".join([*parts, code_id] if code_id else parts)


def _clean(value: object, unwanted: re.Pattern[str]) -> str:
    return unwanted.sub("", value) if isinstance(value, str) else ""
