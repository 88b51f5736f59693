# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What it ran on, by the minidump: operating system and processor."""

import re
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_WINDOWS = {
    (3, 5): "Windows NT",
    (4, 0): "Windows NT",
    (4, 1): "Windows 98",
    (4, 9): "Windows Me",
    (5, 0): "Windows 2000",
    (5, 1): "Windows XP",
    (5, 2): "Windows Server 2003",
    (6, 0): "Windows Vista",
    (6, 1): "Windows 7",
    (6, 2): "Windows 8",
    (6, 3): "Windows 8.1",
    (10, 0): "Windows 10",
}
_WINDOWS_11 = (10, 0, 21996)


class CpuInfo(Rule):
    """``cpu_*``: the processor, as the minidump describes it."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"cpu_arch", "cpu_count", "cpu_info", "cpu_microcode_version"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Say what is unknown; a description that the minidump has as null stays null."""
        system = _system_info(crash)
        microcode = _microcode(system.get("cpu_microcode_version"))
        described = None if system.get("cpu_info", "") is None else "unknown"
        return {
            "cpu_info": _text(system, "cpu_info") or described,
            "cpu_count": _count(system.get("cpu_count")),
            "cpu_arch": _text(system, "cpu_arch") or "unknown",
            **({"cpu_microcode_version": microcode} if microcode else {}),
        }


class OsInfo(Rule):
    """``os_name`` and ``os_version``: the operating system, as the minidump calls it."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"os_name", "os_version"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Say what is unknown."""
        system = _system_info(crash)
        return {
            "os_name": _text(system, "os") or "Unknown",
            "os_version": _text(system, "os_ver") or "",
        }


class OsPrettyVersion(Rule):
    """``os_pretty_version``: the name that people use, such as Windows 11 or macOS 14."""

    reads = frozenset({"json_dump", "os_name", "os_version"})
    writes = frozenset({"os_pretty_version"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Name the release by the family's own way of counting."""
        name = crash.processed.get("os_name") or "Unknown"
        version = crash.processed.get("os_version") or ""
        return {"os_pretty_version": self._pretty(crash, name, version)}

    def _pretty(self, crash: Crash, name: str, version: str) -> str:
        numbers = _numbers(version)
        if name.startswith("Windows"):
            return _windows(numbers) if len(numbers) > 1 else name
        if name == "Mac OS X":
            return _mac(numbers) if len(numbers) > 1 else name
        if name == "Linux":
            return self._distribution(crash) or "Linux"
        return f"{name} {version}" if name == "Android" and version else name

    def _distribution(self, crash: Crash) -> str | None:
        release = crash.json_dump.get("lsb_release")
        described = release.get("description") if isinstance(release, dict) else None
        if described and isinstance(described, str):
            return described
        return crash.text("LinuxLSBDescription")


def _windows(numbers: tuple[int, ...]) -> str:
    # Compared as numbers: 10.0.9841 is Windows 10.
    if numbers[:2] == (10, 0) and numbers[:3] >= _WINDOWS_11:
        return "Windows 11"
    return _WINDOWS.get((numbers[0], numbers[1]), "Windows Unknown")


def _mac(numbers: tuple[int, ...]) -> str:
    if numbers[0] >= 11:
        return f"macOS {numbers[0]}"
    return f"OS X 10.{numbers[1]}" if numbers[0] == 10 else "OS X Unknown"


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", version.strip())
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _system_info(crash: Crash) -> Mapping[str, Any]:
    system = crash.json_dump.get("system_info")
    return system if isinstance(system, dict) else {}


def _text(mapping: Mapping[str, Any], key: str) -> str | None:
    value = mapping.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _microcode(value: object) -> str | None:
    """Return the version as it is written, a number in hexadecimal as all of them are."""
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
