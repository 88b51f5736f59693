# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`python -m socorro.signature`."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.signature import PIPELINE
from socorro.signature.cli import main
from socorro.signature.cli.lines import available_lines
from socorro.signature.cli.signing import Signing
from socorro.signature.cli.stream import sign_stream
from socorro.signature.lists import default_lists

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
    assert answer["trail"][-1] == {
        "frame": 1,
        "given": "f(int)",
        "name": "f",
        "action": "kept: the last one",
        "matches": [],
    }
    assert answer["steps"] == [{"rule": "Stack", "before": "", "after": "f"}]


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
        {"json_dump": CRASH | {"crash_info": {"crashing_thread": 0}}},
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
    assert lines[2:4] == ["  frame  0: abort", "            skipped: irrelevant"]
    assert lines[4].startswith("            by irrelevant_signature_re.txt:")
    assert lines[5:] == [
        "  frame  1: f",
        "            from: f(int)",
        "            kept: the last one",
        "  Stack: f",
        "  IPC channel error: IPCError-content | x",
    ]


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


@pytest.mark.parametrize(
    "arguments",
    [
        ["--jsonl", "file"],
        ["--jsonl", "--changes"],
        ["--check"],
        ["--last", "5"],
        ["--product", "DemoApp", "file"],
        ["--jobs", "0", "file"],
        ["--jobs", "many", "file"],
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_nothing_to_sign_at_a_terminal_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_a_processed_crash_shows_both_signatures_and_nothing_that_a_terminal_acts_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "crash.json"
    file.write_text(json.dumps({"signature": "old\x1b[2J", "json_dump": CRASH}))
    assert main([str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file}: different",
        "  old: old\ufffd[2J",
        "  new: f",
    ]


def test_a_document_on_standard_input_is_signed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.dumps(CRASH, indent=1).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(document)))
    assert main([]) == 0
    assert capsys.readouterr().out == "f\n"


def test_a_crash_id_without_a_server_is_told_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bp-0bba929f-8721-460c-8e70-a43c95d04ed0"]) == 1
    assert "give --server URL" in capsys.readouterr().err


def test_an_own_rule_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules_of_the_test.py").write_text("def mark(draft): draft.prepend('marked')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (answer,) = jsonl("--rule", "rules_of_the_test:mark", lines=[json.dumps(CRASH).encode()])
    assert answer["signature"] == "marked | f"


def test_a_rule_that_does_not_exist_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rule", "no_such:rule", "--jsonl"]) == 1
    assert capsys.readouterr().err.startswith("'no_such:rule': ModuleNotFoundError")


def test_a_line_that_is_too_long_is_named_and_the_next_one_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socorro.signature.cli.lines._LONGEST", 200_000)
    lines = [b'{"x": "' + b"y" * 300_000 + b'"}', json.dumps(CRASH).encode(), b"[" * 250_000]
    output = io.StringIO()
    stream = io.BufferedReader(io.BytesIO(b"\n".join(lines)))  # type: ignore[arg-type]
    sign_stream(stream, output, Signing(default_lists(), PIPELINE), verbose=False)
    answers = [json.loads(line) for line in output.getvalue().splitlines()]
    assert answers[0] == answers[2] == {"error": "the line is longer than 200,000 bytes"}
    assert answers[1]["signature"] == "f"


@given(
    lines=st.lists(st.binary(max_size=6).map(lambda text: text.replace(b"\n", b"")), max_size=6),
    cut=st.integers(1, 5),
    ended=st.booleans(),
)
def test_lines_are_found_however_they_arrive(lines: list[bytes], cut: int, ended: bool) -> None:
    text = b"\n".join(lines) + (b"\n" if ended else b"")
    with patch("socorro.signature.cli.lines._CHUNK_BYTES", cut):
        found = [line for some in available_lines(io.BytesIO(text)) for line in some]
    assert found == text.removesuffix(b"\n").split(b"\n") if text else found == []
