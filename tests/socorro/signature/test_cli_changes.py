# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a change of the lists does, as the command line shows it."""

import io
import json
from pathlib import Path

import pytest

from socorro.signature import Result
from socorro.signature.cli import main
from socorro.signature.cli.changes import Changes
from socorro.signature.cli.signing import Signed

PAIRS = ["aA", "aA", "bB", "bC", "bB", "dE", "eE", "EE", "ff"]


def changes_of(pairs: list[str]) -> Changes:
    return Changes(Signed(f"{pair}.json", pair[0], Result(pair[1])) for pair in pairs)


def test_renamed_split_merged_and_unchanged_signatures_are_told_apart() -> None:
    changes = changes_of(PAIRS)
    assert changes.kinds() == {
        "renamed": [[("a", "A")]],
        "split": [[("b", "B"), ("b", "C")]],
        "merged": [[("E", "E"), ("d", "E"), ("e", "E")]],
    }
    assert (changes.crashes, changes.unchanged) == (9, 2)


def test_the_summary_counts_crashes_and_names_an_example() -> None:
    output = io.StringIO()
    changes_of(PAIRS).write(output, "text")
    assert output.getvalue().splitlines() == [
        "Renamed: all crashes of a signature, and no others, get a new one (1)",
        "  a",
        "    -> A",
        "       2 crashes, such as aA.json",
        "Split: the crashes of one signature get several (1)",
        "  b",
        "    -> B",
        "       2 crashes, such as bB.json",
        "    -> C",
        "       1 crash, such as bC.json",
        "Merged: the crashes of several signatures get one (1)",
        "  E",
        "    <- E",
        "       1 crash, such as EE.json",
        "    <- d",
        "       1 crash, such as dE.json",
        "    <- e",
        "       1 crash, such as eE.json",
        "2 of 9 crashes keep their signature.",
    ]


def test_the_summary_comes_as_json_and_as_tables() -> None:
    output = io.StringIO()
    changes_of(PAIRS).write(output, "json")
    document = json.loads(output.getvalue())
    assert document["unchanged"] == 2
    assert document["renamed"] == [[{"old": "a", "new": "A", "crashes": 2, "example": "aA.json"}]]
    for format_, row in (("csv", "split,b,C,1,bC.json"), ("markdown", "| split | b | C | 1 |")):
        output = io.StringIO()
        changes_of(PAIRS).write(output, format_)
        assert any(line.startswith(row) for line in output.getvalue().splitlines())


def test_crashes_without_an_old_signature_are_counted_apart() -> None:
    output = io.StringIO()
    Changes([Signed("a", None, Result("x")), Signed("b", "y", Result("y"))]).write(output, "text")
    assert output.getvalue().splitlines() == [
        "1 of 1 crashes keep their signature.",
        "1 more have no signature to compare with; --against makes one.",
    ]


def test_other_lists_are_compared_with_those_shipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crash = tmp_path / "crash.json"
    frames = [{"function": "abort"}, {"function": "memcpy"}, {"function": "f(int)"}]
    crash.write_text(json.dumps({"threads": [{"frames": frames}], "original_signature": "stored"}))
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "irrelevant_signature_re.txt").write_text("abort$\nmemcpy$\n")
    arguments = ["--siglists", str(lists), "--changes", "--format", "json", str(crash)]
    assert main(arguments) == 0
    (renamed,) = json.loads(capsys.readouterr().out)["renamed"]
    assert (renamed[0]["old"], renamed[0]["new"]) == ("stored", "f")
    assert main(["--against", "shipped", *arguments]) == 0
    (renamed,) = json.loads(capsys.readouterr().out)["renamed"]
    assert (renamed[0]["old"], renamed[0]["new"]) == ("memcpy | f", "f")


def test_lists_are_checked_and_mistakes_have_a_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prefix_signature_re.txt"
    file.write_text("good\n(\n")
    assert main(["--check", "--siglists", str(tmp_path)]) == 1
    assert f"{file}:2: error: " in capsys.readouterr().out
    file.write_text("good\n")
    assert main(["--check", "--siglists", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}: no problems\n"


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"
