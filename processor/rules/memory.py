# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The memory report that came with a crash, and what it says about the crashed process."""

import gzip
import logging
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.fields import FIELDS

logger = logging.getLogger(__name__)

_DUMP = "memory_report"
_MAX_BYTES = 20 * 1024 * 1024
# Twenty megabytes of brackets would need a hundred times that; a real report of this size has a
# quarter of these.
_MAX_CONTAINERS = 500_000
_MAX_VALUES = 3_000_000

_BYTES, _NON_HEAP, _HEAP = 0, 0, 1
_MEASURED = frozenset(
    {
        "gfx-textures",
        "ghost-windows",
        "heap-allocated",
        "host-object-urls",
        "private",
        "resident",
        "resident-unique",
        "system-heap-allocated",
        "vsize",
        "vsize-max-contiguous",
    }
)
_DERIVED = frozenset({"heap_overhead", "images", "js_main_runtime", "top_none_detached"})
_LARGEST = 2**63


class _BadReportError(Exception):
    """A memory report cannot be read or measured. The text holds nothing of the report."""


class MemoryReport(Rule):
    """``memory_report``, or ``memory_report_error`` for one that cannot be read."""

    writes = frozenset({"memory_report", "memory_report_error"})

    def applies(self, crash: Crash) -> bool:
        """Only for crashes with a memory report."""
        return _DUMP in crash.dumps

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Inflate and decode the file, within bounds."""
        try:
            return {"memory_report": _decoded(_inflated(crash.dumps[_DUMP]))}
        except _BadReportError as error:
            crash.note(str(error))
            return {"memory_report_error": str(error)}


class MemoryMeasures(Rule):
    """``memory_measures``: sums over the memory report's entries for the crashed process."""

    reads = frozenset({"json_dump", "memory_report"})
    writes = frozenset({"memory_measures"})

    def applies(self, crash: Crash) -> bool:
        """Only where the minidump says which process it is, and a whole report is there."""
        report = crash.processed.get("memory_report") or {}
        needed = ("version", "reports", "hasMozMallocUsableSize")
        return "pid" in crash.json_dump and all(name in report for name in needed)

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Measure; a report that is no good for it is no matter to whoever reads the crash."""
        try:
            reports = crash.processed["memory_report"]["reports"]
            return {"memory_measures": _measures(reports, crash.json_dump["pid"])}
        except _BadReportError as error:
            logger.info("memory report not measured: %s", error)
        except KeyError as error:
            logger.info("memory report not measured: a report has no %s", error)
        return {}


def _inflated(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _BadReportError(f"error in gzip for memory_report: {type(error).__name__}") from None
    if len(content) > _MAX_BYTES:
        raise _BadReportError(f"Uncompressed memory info too large (max: {_MAX_BYTES})")
    return content


def _decoded(content: bytes) -> dict[str, Any]:
    if (
        content.count(b"[") + content.count(b"{") > _MAX_CONTAINERS
        or content.count(b",") > _MAX_VALUES
    ):
        raise _BadReportError("memory info has too many values")
    try:
        report = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _BadReportError(f"error in json for memory_report: {type(error).__name__}") from None
    if not FIELDS["memory_report"].shape.fits(report):
        raise _BadReportError("memory info is not as the schema says")
    decoded: dict[str, Any] = report
    return decoded


def _measures(reports: Iterable[Mapping[str, Any]], pid: Any) -> dict[str, int]:
    """Return the measures of a process. Raises _BadReportError, and KeyError for a missing key."""
    sums = dict.fromkeys([*(name.replace("-", "_") for name in _MEASURED), *_DERIVED], 0)
    heap = non_heap = 0
    found = False
    wanted = f"(pid {pid})"
    for report in reports:
        if wanted not in report["process"]:
            continue
        found = True
        path, amount = report["path"], report["amount"]
        kind, units = report["kind"], report["units"]
        if path.startswith("explicit/"):
            _check_explicit(kind, units)
            heap += amount if kind == _HEAP else 0
            non_heap += amount if kind == _NON_HEAP else 0
        name = _measure_of(path)
        if name is not None:
            sums[name] += amount
    if not found:
        raise _BadReportError("nothing about the crashed process")
    # Negative where the measurements contradict each other: that is shown, too.
    sums["heap_unclassified"] = sums["heap_allocated"] - heap
    sums["explicit"] = sums["heap_allocated"] + non_heap
    if not all(-_LARGEST <= value < _LARGEST for value in sums.values()):
        raise _BadReportError("sums beyond 64 bits")
    return sums


def _check_explicit(kind: int, units: int) -> None:
    if units != _BYTES:
        raise _BadReportError("bad units for an explicit/ report")
    if kind not in (_HEAP, _NON_HEAP):
        raise _BadReportError("bad kind for an explicit/ report")


def _measure_of(path: str) -> str | None:
    """Return the measure that a path adds to."""
    if path.startswith("explicit/images/"):
        return "images"
    if path.startswith("explicit/") and "top(none)/detached" in path:
        return "top_none_detached"
    if path.startswith("explicit/heap-overhead/"):
        return "heap_overhead"
    if path.startswith("js-main-runtime/"):
        return "js_main_runtime"
    return path.replace("-", "_") if path in _MEASURED else None
