# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Memory reports: read within bounds, and measured for the process that crashed."""

import gzip
import json
import logging
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processor.rules.memory import MemoryMeasures, MemoryReport
from tests.processor.conftest import MakeCrash

PID = 9620
SECRET = "s3cret"


def entry(path: str, amount: int, kind: int = 2, units: int = 0, pid: int = PID) -> dict[str, Any]:
    return {
        "process": f"Web Content (pid {pid})",
        "path": path,
        "kind": kind,
        "units": units,
        "amount": amount,
        "description": "",
    }


def report_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "hasMozMallocUsableSize": True, "reports": list(entries)}


@pytest.fixture
def dump(tmp_path: Path) -> Callable[[bytes], dict[str, Path]]:
    def write(content: bytes) -> dict[str, Path]:
        path = tmp_path / f"{SECRET}.memory_report.dump"
        path.write_bytes(content)
        return {"memory_report": path}

    return write


Dump = Callable[[bytes], dict[str, Path]]


def test_a_memory_report_is_kept_as_it_was_sent(make_crash: MakeCrash, dump: Dump) -> None:
    report = report_of(entry("vsize", 7)) | {"mysterious": ["awesome"]}
    crash = make_crash(dumps=dump(gzip.compress(json.dumps(report).encode())))
    rule = MemoryReport()
    assert rule.applies(crash)
    assert rule.act(crash) == {"memory_report": report}
    assert crash.notes == []


def test_reports_without_the_file_have_nothing_of_it(make_crash: MakeCrash) -> None:
    assert not MemoryReport().applies(make_crash())


WHOLE = gzip.compress(json.dumps(report_of(entry("vsize", 7))).encode())


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "error in json for memory_report: JSONDecodeError"),
        (b"{}", "error in gzip for memory_report: BadGzipFile"),
        (WHOLE[:-9], "error in gzip for memory_report: EOFError"),
        (WHOLE[:30] + b"\xff" * 8 + WHOLE[38:], "error in gzip for memory_report: error"),
        (gzip.compress(b"{s3cret"), "error in json for memory_report: JSONDecodeError"),
        (gzip.compress(b"\xff"), "error in json for memory_report: JSONDecodeError"),
        (gzip.compress(b'["s3cret"]'), "memory info is not as the schema says"),
        (gzip.compress(b'{"reports": "s3cret"}'), "memory info is not as the schema says"),
        (gzip.compress(b"[" + b"[]," * 600_000 + b"0]"), "memory info has too many values"),
        (gzip.compress(b"[" + b"1," * 3_100_000 + b"0]"), "memory info has too many values"),
        (
            gzip.compress(b" " * (20 * 1024 * 1024 + 1)),
            "Uncompressed memory info too large (max: 20971520)",
        ),
    ],
)
def test_what_cannot_be_read_is_said_without_values_and_paths(
    make_crash: MakeCrash, dump: Dump, content: bytes, error: str
) -> None:
    crash = make_crash(dumps=dump(content))
    found = MemoryReport().act(crash)
    assert found == {"memory_report_error": error}
    assert crash.notes == [error]
    assert SECRET not in str((found, crash.notes))


def test_a_bomb_takes_no_memory(make_crash: MakeCrash, dump: Dump) -> None:
    crash = make_crash(dumps=dump(gzip.compress(bytes(600 * 1024 * 1024), compresslevel=1)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "too large" in MemoryReport().act(crash)["memory_report_error"]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024  # KiB


def measured(make_crash: MakeCrash, *entries: dict[str, Any], pid: Any = PID) -> Any:
    crash = make_crash({"json_dump": {"pid": pid}, "memory_report": report_of(*entries)})
    rule = MemoryMeasures()
    assert rule.applies(crash)
    found = rule.act(crash)
    assert crash.notes == []
    return found.get("memory_measures")


def test_every_measure_is_summed_exactly(make_crash: MakeCrash) -> None:
    found = measured(
        make_crash,
        entry("gfx-textures", 1),
        entry("ghost-windows", 2, units=1),
        entry("heap-allocated", 1000),
        entry("host-object-urls", 3, units=1),
        entry("private", 4),
        entry("resident", 5),
        entry("resident-unique", 6),
        entry("system-heap-allocated", 7),
        entry("vsize", 8),
        entry("vsize", 8),
        entry("vsize-max-contiguous", 9),
        entry("explicit/images/a", 10, kind=1),
        entry("explicit/images/b", 20, kind=0),
        entry("explicit/heap-overhead/c", 30, kind=0),
        entry("explicit/window-objects/top(none)/detached/d", 40, kind=1),
        entry("explicit/other", 50, kind=1),
        entry("js-main-runtime/e", 60),
        entry("js-main-runtime-other/f", 70),
        entry("vsize/deeper", 80),
        entry("vsize", 1_000_000, pid=PID + 1),
        entry("explicit/odd", 1, kind=9, units=9, pid=PID + 1),
    )
    assert found == {
        "explicit": 1050,
        "gfx_textures": 1,
        "ghost_windows": 2,
        "heap_allocated": 1000,
        "heap_overhead": 30,
        "heap_unclassified": 900,
        "host_object_urls": 3,
        "images": 30,
        "js_main_runtime": 60,
        "private": 4,
        "resident": 5,
        "resident_unique": 6,
        "system_heap_allocated": 7,
        "top_none_detached": 40,
        "vsize": 16,
        "vsize_max_contiguous": 9,
    }


def test_unclassified_heap_may_be_negative(make_crash: MakeCrash) -> None:
    found = measured(make_crash, entry("explicit/a", 5, kind=1), entry("heap-allocated", 2))
    assert found["heap_unclassified"] == -3


@pytest.mark.parametrize(
    "entries",
    [
        [entry("explicit/a", 1, kind=0, units=1)],
        [entry("explicit/a", 1, kind=2)],
        [entry("vsize", 1, pid=PID + 1)],
        [entry("vsize", 1), {"path": "vsize"}],
        [{**entry("vsize", 1), "process": f"pid {PID}"}],
        [entry("vsize", 2**62), entry("vsize", 2**62)],
        [],
        *([{k: v for k, v in entry("vsize", 1).items() if k != key}]
          for key in ("path", "kind", "units", "amount", "process")),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_measured_is_logged_and_nothing_else(
    make_crash: MakeCrash, entries: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert measured(make_crash, *entries) is None
    assert caplog.text.count("memory report not measured") == 1


def test_a_process_is_told_from_one_whose_number_begins_alike(make_crash: MakeCrash) -> None:
    assert measured(make_crash, entry("vsize", 1, pid=96200), pid=9620) is None
    assert measured(make_crash, entry("vsize", 1), pid=None) is None


@pytest.mark.parametrize(
    "processed",
    [
        {},
        {"json_dump": {"pid": 1}},
        {"json_dump": None, "memory_report": report_of()},
        {"json_dump": {}, "memory_report": report_of()},
        {"json_dump": {"pid": 1}, "memory_report": {"version": 1, "reports": []}},
        {"json_dump": {"pid": 1}, "memory_report": {}},
    ],
)
def test_without_a_process_id_or_a_whole_report_nothing_is_measured(
    make_crash: MakeCrash, processed: dict[str, Any]
) -> None:
    assert not MemoryMeasures().applies(make_crash(processed))
