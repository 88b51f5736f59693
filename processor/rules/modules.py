# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The modules of the crashed process: those on the stack, and those without symbols."""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from processor.crash import Crash, objects_in
from processor.rules.base import Rule

_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_NOT_IN_IDS = re.compile(r"[^A-Fa-f0-9]")
_NO_DEBUG_ID = "0" * 33
_SCHEMES = frozenset({"http", "https"})
_THIS_MACHINE = re.compile(r"localhost|ip6-loopback", re.IGNORECASE)


class SymbolUrls(Rule):
    """The addresses of symbols in the modules, without those that concern nobody else.

    An address of this machine, and what is no web address (it may be a path of an operator's
    folder), is left out; what may hold credentials is cut from any other.
    """

    reads = frozenset({"json_dump", "upload_file_minidump_browser"})
    writes = frozenset({"json_dump", "upload_file_minidump_browser"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Look at the modules of all minidumps."""
        fields = {}
        if walk := self._cleaned(crash, crash.processed.get("json_dump")):
            fields["json_dump"] = walk
        browser = crash.processed.get("upload_file_minidump_browser")
        if isinstance(browser, dict) and (walk := self._cleaned(crash, browser.get("json_dump"))):
            fields["upload_file_minidump_browser"] = {**browser, "json_dump": walk}
        return fields

    def _cleaned(self, crash: Crash, walk: object) -> dict[str, Any] | None:
        """Return the walk with other addresses; None if there is nothing to be changed."""
        modules = walk.get("modules") if isinstance(walk, dict) else None
        if not isinstance(walk, dict) or not isinstance(modules, list):
            return None
        cleaned = [self._module(crash, module) for module in modules]
        same = all(new is old for new, old in zip(cleaned, modules, strict=True))
        return None if same else {**walk, "modules": cleaned}

    def _module(self, crash: Crash, module: Any) -> Any:
        url = module.get("symbol_url") if isinstance(module, dict) else None
        if url is None:
            return module
        public = _public_url(url) if isinstance(url, str) else None
        if public is None:
            name = _clean(module.get("filename"), _NOT_IN_FILE_NAMES)
            crash.note(f"Redacting symbol url for module {name}")
        return module if public == url else {**module, "symbol_url": public}


class ModulesInStack(Rule):
    """``modules_in_stack``: ``file/debug id`` of the modules on the crashing thread's stack."""

    reads = frozenset({"crashing_thread", "json_dump"})
    writes = frozenset({"modules_in_stack"})

    def applies(self, crash: Crash) -> bool:
        """Only where a stack was walked."""
        return crash.is_walked

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Join the pairs with semicolons, sorted; without any there is no field."""
        named = {frame.get("module") for frame in crash.crashing_frames} - {None}
        # Of modules with the same name, the last is as good as any.
        pairs = {
            module["filename"]: f"{_clean(module['filename'], _NOT_IN_FILE_NAMES)}/"
            f"{_clean(module.get('debug_id'), _NOT_IN_IDS)}"
            for module in objects_in(crash.json_dump.get("modules"))
            if module.get("filename") in named
        }
        return {"modules_in_stack": ";".join(sorted(set(pairs.values())))} if pairs else {}


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
        entries = [
            _entry(module)
            for module in objects_in(crash.json_dump.get("modules"))
            if module.get("filename") and module.get("missing_symbols") is True
        ]
        return {"missing_symbols": ";".join(sorted(entries))} if entries else {}


@lru_cache(4096)  # the same builds crash again and again
def _public_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in _SCHEMES or not host or _is_this_machine(host):
        return None
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc, query="", fragment="").geturl()


def _is_this_machine(host: str) -> bool:
    if _THIS_MACHINE.search(host):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        # Digits alone are an IPv4 address in a notation that no symbol server is known by.
        return host.isdigit() or host.startswith("127.")
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


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
