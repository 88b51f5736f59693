# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The modules of a crashed process: what was loaded, and whether its symbols were found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.crashstats.values import mappings, text

MOST_MODULES = 5_000
# For people, by the processor's `symbol_status`.
_REASONS = {
    "no_id": "no id to look for",
    "server_error": "the symbol server failed",
    "too_large": "too large to read",
    "too_slow": "did not come in time",
    "unreadable": "could not be read",
}


@dataclass(frozen=True)
class Module:
    """One module. `symbols` is found, missing, damaged, or empty where nothing needed them.

    `why` says why they are missing, if not simply because nobody has them.
    """

    name: str
    version: str
    debug_file: str
    debug_id: str
    code_id: str
    base: str
    end: str
    signed_by: str
    symbols: str
    why: str


def modules_of(dump: Mapping[str, Any], kind: str = "modules") -> tuple[Module, ...]:
    """Return the modules of a stack walk: its ``modules`` or its ``unloaded_modules``."""
    return tuple(_module(entry) for entry in mappings(dump.get(kind))[:MOST_MODULES])


def _module(entry: Mapping[str, Any]) -> Module:
    return Module(
        name=text(entry.get("filename")),
        version=text(entry.get("version")),
        debug_file=text(entry.get("debug_file")),
        debug_id=text(entry.get("debug_id")),
        code_id=text(entry.get("code_id")),
        base=text(entry.get("base_addr")),
        end=text(entry.get("end_addr")),
        signed_by=text(entry.get("cert_subject")),
        symbols=_symbols(entry),
        why=_REASONS.get(text(entry.get("symbol_status")), ""),
    )


def _symbols(entry: Mapping[str, Any]) -> str:
    if entry.get("corrupt_symbols") is True:
        return "damaged"
    if entry.get("missing_symbols") is True:
        return "missing"
    return "found" if entry.get("loaded_symbols") is True else ""
