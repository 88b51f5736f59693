# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The page on throttling: its example can be used, its sentences are the real ones."""

import re
from pathlib import Path

import pytest

from collector.throttling import RuleFileError, RuleThrottler, read_rules
from socorro.crash_id import Throttle

PAGE = (Path(__file__).resolve().parents[2] / "docs/operator/throttling.md").read_text()


@pytest.fixture
def example(tmp_path: Path) -> Path:
    found = re.search(r"```yaml\n(lists:.*?)```", PAGE, re.DOTALL)
    assert found
    path = tmp_path / "throttle.yaml"
    path.write_text(found[1])
    return path


@pytest.mark.parametrize(
    ("report", "rule", "results"),
    [
        ({"ProductName": "MyApp", "BuildID": "20100101000000"}, "old_build", {"REJECT"}),
        ({"ProductName": "Other"}, "unknown_product", {"REJECT"}),
        ({"ProductName": "MyApp", "Comments": ""}, "has_comment", {"ACCEPT"}),
        (
            {"ProductName": "MyApp", "ReleaseChannel": "release"},
            "release",
            {"ACCEPT", "REJECT"},
        ),
        ({"ProductName": "MyApp Beta"}, "everything_else", {"ACCEPT"}),
    ],
)
def test_the_example_does_what_its_names_say(
    example: Path, report: dict[str, str], rule: str, results: set[str]
) -> None:
    chances = RuleThrottler(read_rules(example)).chances(report)
    assert {chance.verdict.rule for chance in chances} == {rule}
    assert {chance.verdict.result.name for chance in chances} == results


def test_the_message_of_the_example_is_what_a_mistake_in_it_gives(example: Path) -> None:
    shown = re.search(r"line (\d+): ('acept' is no result.*?)\.\n", PAGE)
    assert shown
    lines = example.read_text().splitlines()
    number = int(shown[1])
    lines[number - 1] = lines[number - 1].replace("reject", "acept")
    example.write_text("\n".join(lines))
    with pytest.raises(RuleFileError) as raised:
        read_rules(example)
    assert str(raised.value) == f"{example}, line {number}: {shown[2]}"


@pytest.mark.parametrize("result", [*(each.name.lower() for each in Throttle), "continue"])
def test_every_result_is_explained(result: str) -> None:
    assert f"\n| `{result}` |" in PAGE


def test_every_test_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("rules: [{name: a, when: {annotation: A, x: y}, then: accept}]")
    with pytest.raises(RuleFileError) as raised:
        read_rules(path)
    known = str(raised.value).partition("those are ")[2].split(", ")
    assert len(known) == 10
    assert [test for test in known if f"`{test}: " not in PAGE] == []
