# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What it ran on, by the annotations: for Android, and for reports without a minidump."""

import re
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

# Names of Android's on the left, of minidumps on the right.
_ARCHITECTURES = {"armeabi-v7a": "arm", "arm64-v8a": "arm64", "x86_64": "amd64"}
_API_LEVEL = re.compile(r"[0-9]{1,9}", re.ASCII)
# What the fields hold where the minidump says nothing, and the annotations that take its place.
_UNKNOWN = frozenset({None, "", "unknown", "Unknown"})
_ANNOTATIONS = {
    "cpu_arch": "CPUArchitecture",
    "cpu_info": "CPUInfo",
    "os_name": "OS",
    "os_version": "OSVersion",
}


class AndroidCpuInfo(Rule):
    """``cpu_arch`` of an Android device whose minidump does not say, or that sent none."""

    reads = frozenset({"cpu_arch"})
    writes = frozenset({"cpu_arch"})

    def applies(self, crash: Crash) -> bool:
        """Only where it is unknown and the device says what it is."""
        unknown = crash.processed.get("cpu_arch") == "unknown"
        return unknown and bool(crash.text("Android_CPU_ABI"))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Use the names of minidumps where there is one."""
        abi = crash.text("Android_CPU_ABI") or ""
        return {"cpu_arch": _ARCHITECTURES.get(abi, abi)}


class AndroidOsInfo(Rule):
    """``os_name`` and ``os_version`` of Android, whose minidumps may not say either."""

    reads = frozenset({"os_name", "os_version"})
    writes = frozenset({"os_name", "os_version"})

    def applies(self, crash: Crash) -> bool:
        """Only where it is unknown or Android, and the report has a place for the release."""
        name = str(crash.processed.get("os_name")).lower()
        return name in ("android", "unknown") and crash.text("Android_Version") is not None

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Take the API level, which comes first, as in ``33 (REL)``."""
        level = (crash.text("Android_Version") or "").partition(" ")[0]
        versions = {"os_version": level} if _API_LEVEL.fullmatch(level) else {}
        return {"os_name": "Android", **versions}


class PlatformInfo(Rule):
    """``cpu_arch``, ``cpu_info``, ``os_name``, ``os_version`` where nothing else knew them."""

    reads = frozenset(_ANNOTATIONS)
    writes = frozenset(_ANNOTATIONS)

    def applies(self, crash: Crash) -> bool:
        """Only where one of them is unknown."""
        return any(crash.processed.get(field) in _UNKNOWN for field in _ANNOTATIONS)

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Fill the gaps, each by itself."""
        said = {
            field: (crash.text(annotation) or "").strip()
            for field, annotation in _ANNOTATIONS.items()
            if crash.processed.get(field) in _UNKNOWN
        }
        return {field: value for field, value in said.items() if value}
