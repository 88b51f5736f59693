# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A report with a mark in everything that is protected, wherever it comes from.

A mark names its place, so that a leak says what leaked.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor.stackwalk import Stackwalker, WalkResult
from socorro.fields import ANNOTATIONS, FIELDS
from tests.webapp.crashes import walk

MARK = "Vf3protectedQz"


def mark(place: str) -> str:
    """Return the mark of a place: letters and digits, which no rule alters."""
    return f"{MARK}{''.join(character for character in place if character.isalnum())}Qz"


def annotations() -> dict[str, Any]:
    """Return a mark in each protected annotation, and in each place that is left out of a public
    field that comes from one."""
    marked: dict[str, Any] = {
        name: mark(name) for name, known in ANNOTATIONS.items() if known.protected
    }
    marked |= {
        "SomethingNobodyRegistered": mark("unknown annotation"),
        "AnObjectNobodyRegistered": {mark("unknown key"): [mark("unknown value")]},
        "SubmittedFromInfobar": "1",
        "metadata": {
            "user_agent": mark("user agent"),
            "collector_notes": [mark("collector note")],
            mark("metadata key"): mark("metadata value"),
        },
        "Breadcrumbs": json.dumps([_breadcrumb()]),
        "JavaException": json.dumps(_java_exception()),
        "JavaStackTrace": f"java.lang.Error: {mark('java message')}\n\tat a.B.c(B.java:1)\n"
        f"Caused by: {mark('java cause')}\n\tat a.B.d(B.java:2)",
        "ModuleSignatureInfo": json.dumps({mark("certificate"): ["nowhere.dll"]}),
        "MozCrashReason": f"Failed to load module {mark('crash reason')}",
        "PHCBaseAddress": "8675309",
        "PHCUsableSize": "8675310",
    }
    return marked


def dumps() -> dict[str, bytes]:
    """Return the files of the report."""
    report = {
        "version": 1,
        "hasMozMallocUsableSize": True,
        "reports": [
            {
                "process": f"Main Process (pid 1) {mark('report process')}",
                "path": f"explicit/{mark('report path')}",
                "kind": 1,
                "units": 0,
                "amount": 1024,
                "description": mark("report description"),
            }
        ],
    }
    return {
        "upload_file_minidump": b"MDMP main",
        "upload_file_minidump_browser": b"MDMP browser",
        "memory_report": gzip.compress(json.dumps(report).encode()),
        "another_file": mark("file").encode(),
    }


@dataclass
class MarkedWalker:
    """A stackwalker that finds marks in every minidump."""

    version: str = "marked 1.0"

    def walk(self, minidump: Path, annotations: Path | None) -> WalkResult:
        """Return the same walk for every minidump; what it says on standard error is marked."""
        return WalkResult(stack_walk(), 0, "OK", mark("stderr"), self.version, success=True)

    def close(self) -> None:
        """Nothing runs."""


class MarkedWalkers:
    """Where the processor gets the stackwalker from."""

    def get(self) -> Stackwalker:
        """Return the stackwalker."""
        return MarkedWalker()

    def close(self) -> None:
        """Nothing runs."""


def stack_walk() -> dict[str, Any]:
    """Return a stack walk with marks in its protected parts and in parts nobody registered."""
    dump = walk("threads")
    dump["pid"] = 1
    for thread in (*dump["threads"], dump["crashing_thread"]):
        thread[mark("thread key")] = mark("thread value")
        for frame in thread["frames"]:
            frame["registers"] = {"rax": mark("register"), mark("register name"): "0x1"}
            frame["stack_memory"] = mark("stack memory")
    for module in dump["modules"]:
        module["nobody_knows"] = {"deep": [mark("module value")]}
    accesses = [{"address": "0x1", "size": 8, "is_likely_guard_page": True}]
    dump["crash_info"] |= {"memory_accesses": accesses, "unknown": mark("crash info")}
    return dump | {
        "handles": [{"object_name": mark("handle")}],
        "mac_boot_args": mark("boot args"),
        "proc_limits": {mark("limit"): 1},
        "soft_errors": [{mark("soft error"): 1}],
    }


def protected_fields() -> set[str]:
    """Return the names of all protected fields of a processed crash."""
    return {name for name, field in FIELDS.items() if field.protected}


def _breadcrumb() -> dict[str, Any]:
    return {
        "timestamp": "2026-11-23T00:00:00",
        "message": mark("crumb message"),
        "category": mark("crumb category"),
        "level": "info",
        "type": "default",
        "data": {"key": mark("crumb data")},
    }


def _java_exception() -> dict[str, Any]:
    frame = {"module": "a.B", "function": "c", "in_app": True, "lineno": 1, "filename": "B.java"}
    stacktrace = {
        "frames": [frame | {"unknown": mark("java frame")}],
        "type": "Error",
        "module": "java.lang",
        "value": mark("java value"),
    }
    return {"exception": {"values": [{"stacktrace": stacktrace, "also": mark("java also")}]}}
