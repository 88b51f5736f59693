# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`python -m socorro.signature`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from socorro.signature.cli import main

CRASH: dict[str, Any] = {"threads": [{"frames": [{"function": "abort"}, {"function": "f(int)"}]}]}


def jsonl(*arguments: str, lines: list[bytes]) -> list[dict[str, Any]]:
    """What the command answers to lines, as a process of its own."""
    process = subprocess.run(
        [sys.executable, "-m", "socorro.signature", "--jsonl", *arguments],
        input=b"".join(line + b"\n" for line in lines),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_each_line_gets_a_line_bad_ones_an_error() -> None:
    lines = [
        json.dumps(CRASH).encode(),
        b"not json",
        b"",
        b"[]",
        b'{"threads": 5}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"threads": [{"frames": [{"function": "x\\ud800"}]}]}',
        json.dumps({}).encode(),
    ]
    answers = jsonl(lines=lines)
    assert answers[0] == {"signature": "f", "proto_signature": "abort | f", "notes": []}
    assert all(list(answer) == ["error"] for answer in answers[1:7])
    assert answers[4] == {"error": "threads: expected a list or null"}
    assert answers[7]["proto_signature"] == "x\ud800"
    assert answers[8]["signature"] == "EMPTY: no frame data available"
    assert answers[8]["proto_signature"] is None
    assert len(answers) == len(lines)


def test_other_lists_can_be_given(tmp_path: Path) -> None:
    (answer,) = jsonl("--siglists", str(tmp_path), lines=[json.dumps(CRASH).encode()])
    assert answer["signature"] == "abort"


def test_the_trail_is_added_where_it_is_asked_for() -> None:
    (answer,) = jsonl("--verbose", lines=[json.dumps(CRASH).encode()])
    assert answer["trail"][-1] == "  1 f: kept: the last one"


def test_an_answer_comes_before_the_next_line_is_sent() -> None:
    command = [sys.executable, "-m", "socorro.signature", "--jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(json.dumps(CRASH).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["signature"] == "f"
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "socorro.signature", "--jsonl"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate(b"{}\n", timeout=60)
    assert process.returncode == 0
    assert errors == b""


@pytest.mark.parametrize(
    "document",
    [
        CRASH,
        {"signature": "old", "json_dump": CRASH | {"crash_info": {"crashing_thread": 0}}},
        CRASH | {"crash_info": {"crashing_thread": 0}},
    ],
    ids=["crash data", "processed crash", "stack walk"],
)
def test_a_file_holds_crash_data_a_processed_crash_or_a_stack_walk(
    document: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "crash.json"
    file.write_text(json.dumps(document))
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == "f\n"


def test_verbose_output_shows_notes_and_the_trail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "crash.json"
    file.write_text(json.dumps(CRASH | {"ipc_channel_error": "x"}))
    assert main(["--verbose", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "IPCError-content | x"
    assert lines[1] == '  note: IPC channel error: it replaces the signature "f"'
    assert lines[2].startswith("    0 abort: skipped: irrelevant [irrelevant_signature_re.txt:")
    assert lines[3] == "    1 f: kept: the last one"


def test_a_bad_file_is_named_and_the_others_are_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(CRASH))
    bad.write_text("{")
    assert main([str(bad), str(tmp_path / "none.json"), str(good)]) == 1
    captured = capsys.readouterr()
    assert captured.out == "f\n"
    assert "bad.json: it is not JSON" in captured.err
    assert "none.json: No such file or directory" in captured.err


def test_bad_lists_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prefix_signature_re.txt").write_text("(\n")
    assert main(["--siglists", str(tmp_path), "--jsonl"]) == 1
    assert "prefix_signature_re.txt:1:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--jsonl", "file"]])
def test_files_and_lines_exclude_each_other(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
