# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a change of the lists does, as the command line shows it."""

import json
from pathlib import Path

import pytest

from socorro.signature.cli import main
from socorro.signature.cli.changes import Changes
from socorro.signature.cli.comparison import Compared


def test_renamed_split_merged_and_unchanged_signatures_are_told_apart() -> None:
    pairs = ["aA", "aA", "bB", "bC", "dE", "eE", "ff"]
    changes = Changes(Compared(f"{pair[0]}-{pair[1]}", pair[0], pair[1], ()) for pair in pairs)
    lines = list(changes.lines())
    assert lines[:3] == ["renamed: 2 crashes, such as a-A", "  old: a", "  new: A"]
    kinds = {pair: changes.kind(pair[0], pair[1]) for pair in set(pairs)}
    assert kinds == {
        "aA": "renamed",
        "bB": "split",
        "bC": "split",
        "dE": "merged",
        "eE": "merged",
        "ff": "unchanged",
    }
    assert lines[-1] == "1 of 7 crashes keep their signature."


def test_lists_are_checked_and_mistakes_have_a_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prefix_signature_re.txt"
    file.write_text("good\n(\n")
    assert main(["--check", "--siglists", str(tmp_path)]) == 1
    assert f"{file}:2: error: " in capsys.readouterr().out
    file.write_text("good\n")
    assert main(["--check", "--siglists", str(tmp_path)]) == 0


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"
