# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the stackwalker's results become, for each minidump of a crash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from markus.testing import MetricsMock

from processor.rules.stackwalk import StackWalk
from processor.stackwalk import Stackwalker, WalkResult
from processor.stackwalk.result import UNAVAILABLE, empty_minidump, failed
from tests.processor.conftest import MakeCrash

MAIN, BROWSER = "upload_file_minidump", "upload_file_minidump_browser"
VERSION = "minidump-stackwalk 0.26.0"
GOOD = WalkResult({"status": "OK", "pid": 1}, 0, "OK", "", VERSION, success=True)


@dataclass
class Walker:
    """Gives the results that a test prepared, and keeps the annotations that it was told."""

    results: Mapping[str, WalkResult]
    version: str = VERSION
    told: dict[str, Any] = field(default_factory=dict)
    walked: list[str] = field(default_factory=list)

    def get(self) -> Stackwalker | None:
        return self

    def walk(self, minidump: Path, annotations: Path | None) -> WalkResult:
        assert annotations is not None
        self.told = json.loads(annotations.read_text())
        self.walked.append(minidump.name)
        return empty_minidump(minidump, self.version) or self.results[minidump.name]

    def close(self) -> None:
        """Nothing runs."""


class NoWalker:
    """There is no stackwalker on this machine."""

    def get(self) -> Stackwalker | None:
        return None


@pytest.fixture
def dumps(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / name for name in (MAIN, BROWSER, "upload_file_minidump_gpu", "other")}
    for path in paths.values():
        path.write_bytes(b"MDMP")
    return paths


def main(dumps: Mapping[str, Path]) -> dict[str, Path]:
    return {MAIN: dumps[MAIN]}


def test_the_walk_of_the_main_minidump_is_that_of_the_crash(
    make_crash: MakeCrash, dumps: dict[str, Path]
) -> None:
    crash = make_crash(dumps=main(dumps))
    with MetricsMock() as metrics:
        fields = StackWalk(Walker({MAIN: GOOD})).act(crash)
    assert fields == {
        "additional_minidumps": [],
        "json_dump": {"status": "OK", "pid": 1},
        "mdsw_return_code": 0,
        "mdsw_status_string": "OK",
        "mdsw_stderr": "",
        "stackwalk_version": VERSION,
    }
    assert crash.notes == []
    metrics.assert_incr(
        "socorro.processor.minidumpstackwalk.run", tags=["outcome:success", "exitcode:0"]
    )


def test_every_further_minidump_is_named_and_the_browsers_is_kept(
    make_crash: MakeCrash, dumps: dict[str, Path]
) -> None:
    crash = make_crash(dumps=dumps)
    browser = WalkResult({"status": "X"}, 0, "X", "", VERSION, success=False)
    results = {MAIN: GOOD, BROWSER: browser, "upload_file_minidump_gpu": GOOD}
    fields = StackWalk(Walker(results)).act(crash)
    assert fields["additional_minidumps"] == [BROWSER, "upload_file_minidump_gpu"]
    assert fields[BROWSER] == {
        "json_dump": {"status": "X"},
        "mdsw_return_code": 0,
        "mdsw_status_string": "X",
        "mdsw_stderr": "",
        "stackwalk_version": VERSION,
        "success": False,
    }
    assert fields["json_dump"] == {"status": "OK", "pid": 1}
    assert crash.notes == ["MinidumpStackwalkRule: minidump-stackwalk: failed: 0: X"]


def test_minidumps_whose_walk_would_be_thrown_away_cost_no_walk(
    make_crash: MakeCrash, tmp_path: Path
) -> None:
    names = [MAIN, *(f"upload_file_minidump_{number}" for number in range(200))]
    (tmp_path / MAIN).write_bytes(b"MDMP")
    walker = Walker({MAIN: GOOD})
    fields = StackWalk(walker).act(make_crash(dumps={name: tmp_path / name for name in names}))
    assert fields["additional_minidumps"] == sorted(names[1:])
    assert walker.walked == [MAIN]


def test_a_crash_without_minidumps_has_an_empty_list_of_further_ones(
    make_crash: MakeCrash, dumps: dict[str, Path]
) -> None:
    for given in ({}, {"other": dumps["other"]}):
        assert StackWalk(Walker({})).act(make_crash(dumps=given)) == {"additional_minidumps": []}


def test_an_empty_minidump_is_not_walked(make_crash: MakeCrash, dumps: dict[str, Path]) -> None:
    dumps[MAIN].write_bytes(b"")
    crash = make_crash(dumps=main(dumps))
    with MetricsMock() as metrics:
        fields = StackWalk(Walker({})).act(crash)
    assert fields == {
        "additional_minidumps": [],
        "mdsw_status_string": "EmptyMinidump",
        "mdsw_stderr": "Shortcut for 0-bytes minidump.",
    }
    assert crash.notes == [
        "MinidumpStackwalkRule: upload_file_minidump is empty--skipping minidump processing"
    ]
    assert not metrics.filter_records("incr", "socorro.processor.minidumpstackwalk.run")


@pytest.mark.parametrize(
    ("result", "note", "code"),
    [
        (failed("MissingThreadList", "", VERSION), "failed: 1: MissingThreadList", 1),
        (failed("Timeout", "", VERSION, -9), "timeout (SIGKILL)", -9),
        (failed("MemoryLimit", "", VERSION, -6), "failed: -6: MemoryLimit", -6),
        (failed("unknown error", "", VERSION, -11), "failed: -11: unknown error", -11),
    ],
)
def test_a_walk_that_failed_is_noted_and_counted(
    make_crash: MakeCrash, dumps: dict[str, Path], result: WalkResult, note: str, code: int
) -> None:
    crash = make_crash(dumps=main(dumps))
    with MetricsMock() as metrics:
        fields = StackWalk(Walker({MAIN: result})).act(crash)
    assert fields["json_dump"] == {}
    assert fields["mdsw_return_code"] == code
    assert fields["mdsw_status_string"] == result.status
    assert crash.notes == [f"MinidumpStackwalkRule: minidump-stackwalk: {note}"]
    metrics.assert_incr(
        "socorro.processor.minidumpstackwalk.run", tags=["outcome:fail", f"exitcode:{code}"]
    )


@pytest.mark.parametrize(
    ("status", "stderr", "expected"),
    [
        ("unknown error", "ERROR HeaderMismatch - a secret\nmore", "HeaderMismatch"),
        ("OK", "ERROR NoSymbols", "NoSymbols"),
        ("Timeout", "ERROR HeaderMismatch", "Timeout"),
        ("OK", "a line\nERROR HeaderMismatch", "OK"),
        ("OK", "ERRORS", "OK"),
        ("OK", "ERROR /home/somebody", "OK"),
    ],
)
def test_an_error_that_the_log_begins_with_is_the_status(
    make_crash: MakeCrash, dumps: dict[str, Path], status: str, stderr: str, expected: str
) -> None:
    result = WalkResult({}, 0, status, stderr, VERSION, success=status == "OK")
    crash = make_crash(dumps=main(dumps))
    fields = StackWalk(Walker({MAIN: result})).act(crash)
    assert fields["mdsw_status_string"] == expected
    stomped = (
        "MinidumpStackwalkRule: processing upload_file_minidump had error; "
        "stomped on mdsw_status_string"
    )
    assert (stomped in crash.notes) == (expected != status)
    assert "secret" not in str(crash.notes)


def test_of_a_long_log_the_last_ten_lines_are_kept(
    make_crash: MakeCrash, dumps: dict[str, Path]
) -> None:
    def stderr_of(log: str) -> str:
        result = WalkResult({}, 0, "OK", log, VERSION, success=True)
        fields = StackWalk(Walker({MAIN: result})).act(make_crash(dumps=main(dumps)))
        text: str = fields["mdsw_stderr"]
        return text

    ten = "".join(f"line {number}\n" for number in range(10))
    assert stderr_of(ten) == ten
    assert stderr_of(f"first\n{ten}") == f"...\n{ten}".rstrip()


def test_without_a_stackwalker_the_crash_is_marked_to_be_walked_later(
    make_crash: MakeCrash, dumps: dict[str, Path]
) -> None:
    for walkers in (NoWalker(), Walker({MAIN: failed(UNAVAILABLE, "", VERSION)})):
        crash = make_crash(dumps=main(dumps))
        fields = StackWalk(walkers).act(crash)
        assert fields["mdsw_status_string"] == "NoStackwalker"
        assert "json_dump" not in fields
        assert "processed again when there is one" in crash.notes[0]


def test_certificates_are_given_to_the_stackwalker_as_a_text(
    make_crash: MakeCrash, dumps: dict[str, Path]
) -> None:
    walker = Walker({MAIN: GOOD})
    certificates = {"Acme Inc": ["app.exe"]}
    for sent in (certificates, json.dumps(certificates)):
        crash = make_crash(dumps=main(dumps), ModuleSignatureInfo=sent, ProductName="DemoApp")
        StackWalk(walker).act(crash)
        assert json.loads(walker.told["ModuleSignatureInfo"]) == certificates
        assert walker.told["ProductName"] == "DemoApp"
        assert crash.annotations["ModuleSignatureInfo"] == sent
