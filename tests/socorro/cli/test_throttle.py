# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro throttle`: checks rules and tries them on reports."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socorro.cli.commands import cli
from socorro.storage import CrashReport, FilesystemStorage

RULES = """
rules:
  - name: sampled
    when: {annotation: ProductName, equals: Popular}
    then: {percent: 25, of_these: accept, others: reject}
  - {name: rest, then: defer}
"""
ID = "0b5ba6dc-64ee-4d1e-8f1c-3c0f50261123"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("THROTTLE_RULES", str(path))
    return path


@pytest.fixture
def stored(tmp_path: Path, rules: Path) -> str:
    FilesystemStorage(tmp_path / "data" / "crashes").save_raw_crash(
        CrashReport(ID, {"ProductName": "Popular"})
    )
    return ID


def throttle(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["throttle", *arguments])


def test_check_lists_the_rules_in_force(rules: Path) -> None:
    result = throttle("check")
    assert result.exit_code == 0
    assert "accept 25 %, reject 75 %" in result.output
    assert result.output.splitlines()[2].split() == ["2", "rest", "defer"]


def test_check_without_a_file_says_what_that_means(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THROTTLE_RULES", "")
    result = throttle("check")
    assert result.exit_code == 0
    assert "every report is accepted" in result.output


def test_check_tells_what_is_wrong(rules: Path) -> None:
    rules.write_text("rules: [{name: a, then: b}]")
    result = throttle("check", str(rules))
    assert result.exit_code == 2
    assert result.stderr == (
        f"{rules}, line 1: 'b' is no result; those are accept, defer, reject, "
        "fake_accept, continue.\n"
    )


def test_check_of_the_setting_names_it(rules: Path) -> None:
    rules.write_text("rules: []")
    result = throttle("check")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"THROTTLE_RULES: {rules}, line 1: ")


def test_the_rules_of_mozilla_are_printed_as_a_file_that_can_be_used(
    tmp_path: Path, rules: Path
) -> None:
    copy = tmp_path / "mozilla.yaml"
    copy.write_text(throttle("mozilla").stdout)
    result = throttle("check", str(copy))
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 17
    assert "is_firefox_desktop" in result.output


def test_wrong_rules_are_not_tried(tmp_path: Path, stored: str) -> None:
    result = throttle("try", "--rules", str(tmp_path / "nowhere.yaml"), stored)
    assert result.exit_code == 2
    assert "nowhere.yaml: cannot be read: No such file or directory." in result.stderr


def test_a_stored_crash_is_tried(stored: str) -> None:
    result = throttle("try", "--json", f"bp-{stored}")
    assert result.exit_code == 0
    assert json.loads(result.output) == {
        "report": f"bp-{stored}",
        "verdicts": [
            {"rule": "sampled", "result": "reject", "probability": 0.75},
            {"rule": "sampled", "result": "accept", "probability": 0.25},
        ],
    }


def test_annotations_in_a_file_are_tried_with_other_rules(tmp_path: Path, rules: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("rules: [{name: none, then: reject}]")
    report = tmp_path / "report.json"
    report.write_text('{"ProductName": "x"}')
    result = throttle("try", "--rules", str(other), str(report))
    assert result.exit_code == 0
    assert "none" in result.output
    assert "reject  100.0%" in result.output


def test_the_sum_is_shown_for_several_reports(stored: str) -> None:
    result = throttle("try", stored, stored)
    assert "Of 2 reports, expected: 0.5 accept, 1.5 reject." in result.output


def test_what_cannot_be_read_is_named_and_the_others_are_tried(tmp_path: Path, stored: str) -> None:
    array = tmp_path / "array.json"
    array.write_text("[]")
    unknown = "1" + stored[1:]
    result = throttle("try", str(array), unknown, "nowhere", stored)
    assert result.exit_code == 1
    assert "sampled" in result.output
    assert f"{array}: must hold an object of annotations" in result.stderr
    assert f"{unknown}: there is no such crash in CRASH_STORAGE" in result.stderr
    assert "nowhere: is neither a crash id nor a file" in result.stderr


def test_the_latest_of_an_empty_installation_are_none(rules: Path) -> None:
    result = throttle("try", "--last", "5")
    assert result.exit_code == 0
    assert "There are no crashes to try the rules on." in result.output


def test_something_to_try_must_be_named(rules: Path) -> None:
    result = throttle("try")
    assert result.exit_code == 2
    assert "give crash ids, files" in result.stderr
