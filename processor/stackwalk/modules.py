# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Tells of each module of a stack walk what became of its symbols."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socorro.symbols.servers import SymbolServers

# Nobody looked for its symbols: no frame is in it.
NOT_NEEDED = "not_needed"
LOADED = "loaded"
CORRUPT = "corrupt"
NOT_FOUND = "not_found"


@dataclass(frozen=True)
class ModuleSymbols:
    """What the stackwalker says of the symbols of one module, which its base address names.

    `file` is there if it lies in the cache of servers' symbols.
    """

    base: int
    status: str
    file: Path | None


def parsed(entries: object) -> list[ModuleSymbols]:
    """Read the stackwalker's list; what is no entry is left out."""
    if not isinstance(entries, list):
        return []
    return [_entry(entry) for entry in entries if _is_entry(entry)]


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("module"), int)
        and isinstance(entry.get("status"), str)
        and isinstance(entry.get("file", ""), str)
    )


def _entry(entry: Mapping[str, Any]) -> ModuleSymbols:
    file = entry.get("file")
    return ModuleSymbols(entry["module"], entry["status"], Path(file) if file else None)


def tell(
    document: Mapping[str, Any], told: Iterable[ModuleSymbols], servers: SymbolServers | None
) -> None:
    """Set `symbol_status` of all modules, and `symbol_url` of those whose symbols a server gave.

    A file of the cache that is corrupt is taken out of it.
    """
    by_base: dict[int | None, ModuleSymbols] = {entry.base: entry for entry in told}
    for module in _modules(document):
        entry = by_base.get(_base_of(module))
        module["symbol_status"] = entry.status if entry else NOT_NEEDED
        if entry and entry.file and servers:
            module["symbol_url"] = servers.url_of(entry.file)
    for entry in by_base.values():
        if entry.status == CORRUPT and entry.file and servers:
            servers.reject(entry.file)


def tell_by_flags(document: Mapping[str, Any]) -> None:
    """Set `symbol_status` of all modules from what rust-minidump says of them."""
    for module in _modules(document):
        if module.get("corrupt_symbols"):
            status = CORRUPT
        elif module.get("loaded_symbols"):
            status = LOADED
        else:
            status = NOT_FOUND if module.get("missing_symbols") else NOT_NEEDED
        module["symbol_status"] = status


def _modules(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    modules = document.get("modules")
    if not isinstance(modules, list):
        return []
    return [module for module in modules if isinstance(module, dict)]


def _base_of(module: Mapping[str, Any]) -> int | None:
    try:
        return int(module["base_addr"], 16)
    except (KeyError, TypeError, ValueError):
        return None
