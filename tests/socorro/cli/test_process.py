# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro process`: the default ruleset on lines of JSON and on files, without a server."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from socorro.cli.commands import cli
from socorro.packaged import SAMPLES
from socorro.settings import load
from socorro.storage import CrashReport, open_storage

CRASH_ID = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122"
RAW_CRASH = {
    "uuid": CRASH_ID,
    "submitted_timestamp": "2026-11-22T12:00:00+00:00",
    "ProductName": "DemoApp",
    "Version": "1.2",
}
WALK = {
    "status": "OK",
    "crash_info": {"type": "SIGSEGV", "address": "0x0000000000000010", "crashing_thread": 0},
    "crashing_thread": {"thread_name": "main"},
    "threads": [
        {
            "thread_name": "main",
            "frames": [{"frame": 0, "function": "Crash::here()", "module": "demo"}],
        }
    ],
    "system_info": {"os": "Linux", "cpu_arch": "amd64"},
}
MINIDUMP = SAMPLES / "crashes" / "dumps" / "nested_null.dmp"
SYMBOLS = SAMPLES / "crashes" / "symbols"


def run(tmp_path: Path, *arguments: str | Path, given: bytes = b"", **environ: str) -> Result:
    environ = {"SOCORRO_DATA": str(tmp_path / "data"), **environ}
    return CliRunner().invoke(cli, ["process", *map(str, arguments)], input=given, env=environ)


def answers(tmp_path: Path, lines: Sequence[bytes]) -> list[dict[str, Any]]:
    result = run(tmp_path, "--jsonl", given=b"\n".join(lines))
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def line(**content: Any) -> bytes:
    return json.dumps(content).encode()


def test_a_raw_crash_and_its_stack_walk_give_the_processed_crash(tmp_path: Path) -> None:
    (processed,) = answers(tmp_path, [line(raw_crash=RAW_CRASH, stackwalk=WALK)])
    assert processed["uuid"] == CRASH_ID
    assert processed["product"] == "DemoApp"
    assert processed["reason"] == "SIGSEGV"
    assert processed["crashing_thread_name"] == "main"
    assert processed["signature"] == "Crash::here"
    assert processed["mdsw_status_string"] == "OK"
    assert processed["success"] is True
    assert "upload_file_minidump" in processed["crash_report_keys"]


@pytest.mark.parametrize("content", [{"stackwalk": None}, {}])
def test_without_a_stack_walk_there_is_no_dump(tmp_path: Path, content: dict[str, Any]) -> None:
    (processed,) = answers(tmp_path, [line(raw_crash=RAW_CRASH, **content)])
    assert processed["signature"] == "EMPTY: no frame data available"
    assert "json_dump" not in processed
    assert "mdsw_status_string" not in processed
    assert "upload_file_minidump" not in processed["crash_report_keys"]


def test_the_walk_of_a_second_dump_has_its_own_place(tmp_path: Path) -> None:
    browser = {**WALK, "pid": 4}
    given = line(raw_crash=RAW_CRASH, stackwalk=WALK, stackwalk_browser=browser)
    (processed,) = answers(tmp_path, [given])
    assert processed["additional_minidumps"] == ["upload_file_minidump_browser"]
    assert processed["upload_file_minidump_browser"]["json_dump"]["pid"] == 4
    assert "pid" not in processed["json_dump"]


def test_one_crash_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    given = [
        line(raw_crash=RAW_CRASH, stackwalk=WALK, stackwalk_browser=WALK),
        line(raw_crash=RAW_CRASH, stackwalk=None),
    ]
    _, second = answers(tmp_path, given)
    assert not {"json_dump", "upload_file_minidump_browser", "reason"} & second.keys()
    assert second["additional_minidumps"] == []


def test_every_line_is_answered_whatever_it_is(tmp_path: Path) -> None:
    bad = [
        b"nonsense",
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"raw_crash": {"Notes": ' + b"1" * 10_000 + b"}}",
        line(stackwalk=WALK),
        line(raw_crash="ProductName"),
        line(raw_crash=RAW_CRASH, stackwalk="OK"),
        line(raw_crash=RAW_CRASH, stackwalk_browser=[WALK]),
        line(raw_crash=RAW_CRASH, stack_walk=WALK),
    ]
    good = line(raw_crash=RAW_CRASH, stackwalk=WALK)
    answered = answers(tmp_path, [*bad, good])
    assert all(list(answer) == ["error"] and answer["error"] for answer in answered[:-1])
    assert answered[-1]["signature"] == "Crash::here"


def test_odd_annotations_are_processed_all_the_same(tmp_path: Path) -> None:
    odd = {**RAW_CRASH, "Notes": "\ud800", "UptimeTS": 10**30, "URL": {"a": [1]}, "Version": None}
    (processed,) = answers(tmp_path, [line(raw_crash=odd, stackwalk={})])
    assert processed["app_notes"] == "\ud800"


def test_a_minidump_is_walked_with_the_symbols_of_the_settings(tmp_path: Path) -> None:
    result = run(tmp_path, MINIDUMP, "-a", "ProductName=DemoApp", SYMBOLS=str(SYMBOLS))
    assert result.exit_code == 0, result.output
    processed = json.loads(result.stdout)
    assert processed["signature"] == "acme::storage::Cache<T>::Entry::Touch"
    assert processed["product"] == "DemoApp"


def test_annotations_have_their_minidump_beside_them(tmp_path: Path) -> None:
    (tmp_path / "crash.dmp").write_bytes(MINIDUMP.read_bytes())
    (tmp_path / "crash.json").write_text(json.dumps(RAW_CRASH))
    results = [run(tmp_path, tmp_path / name) for name in ("crash.json", "crash.dmp")]
    for processed in (json.loads(result.stdout) for result in results):
        assert processed["uuid"] == CRASH_ID
        assert processed["reason"].startswith("SIGSEGV")


def test_annotations_alone_are_a_report_as_well(tmp_path: Path) -> None:
    (tmp_path / "crash.json").write_text('{"ProductName": "DemoApp"}')
    result = run(tmp_path, tmp_path / "crash.json", "--pretty")
    processed = json.loads(result.stdout)
    assert processed["product"] == "DemoApp"
    assert processed["uuid"]
    assert processed["success"] is True
    assert result.stdout.count("\n") > 10


def test_a_stored_crash_is_processed_and_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    storage = open_storage(load().crash_storage)
    dump = storage.spool / "a.dump"
    dump.write_bytes(MINIDUMP.read_bytes())
    storage.save_raw_crash(CrashReport(CRASH_ID, RAW_CRASH, {"upload_file_minidump": dump}))
    processed = json.loads(run(tmp_path, CRASH_ID).stdout)
    assert processed["reason"].startswith("SIGSEGV")
    assert not storage.has_processed_crash(CRASH_ID)


def test_what_cannot_be_read_is_named_and_the_rest_is_processed(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text("{}")
    (tmp_path / "list.json").write_text("[]")
    other_id = "11111111-3c4d-4e5f-8a9b-0c1d20261122"
    missing = tmp_path / "missing.dmp"
    result = run(tmp_path, tmp_path / "list.json", missing, other_id, tmp_path / "good.json")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    errors = result.stderr.splitlines()
    assert [error.split(": ")[0] for error in errors] == [
        str(tmp_path / "list.json"),
        str(missing),
        other_id,
    ]


@pytest.mark.parametrize(
    "arguments",
    [(), ("--jsonl", "crash.dmp"), ("crash.dmp", "-a", "x"), ("crash.dmp", "-f", "name=nothing")],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(tmp_path, *arguments)
    assert result.exit_code == 2
    assert "Usage" in result.stderr
