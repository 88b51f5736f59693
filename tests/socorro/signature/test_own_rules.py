# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Rules that a deployment appends to the pipeline."""

from pathlib import Path

import pytest

from socorro.signature import PIPELINE, RuleError, generate, with_own_rules

CRASH = {"threads": [{"frames": [{"function": "f"}]}], "reason": "SIGSEGV"}

MODULE = """
LEVEL = 3

def mark_level(draft):
    draft.prepend(f"level {LEVEL}")
    draft.note("it was the third level")

def add_what_is_not_printable(draft):
    draft.signature += " | \\t\\u00e9" + "x" * 300

def stumble(draft):
    draft.signature = "half done"
    raise KeyError("/home/somebody")

def forget(draft):
    draft.signature = None
"""


@pytest.fixture(autouse=True)
def _own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "our_rules.py").write_text(MODULE)
    (tmp_path / "broken_rules.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)


def test_without_own_rules_the_pipeline_is_the_usual_one() -> None:
    assert with_own_rules([]) == PIPELINE


def test_an_own_rule_changes_the_signature_and_leaves_a_note_and_a_step() -> None:
    result = generate(CRASH, rules=with_own_rules(["our_rules:mark_level"]))
    assert result.signature == "level 3 | f"
    assert result.notes == ("mark_level: it was the third level",)
    assert [step.rule for step in result.steps] == ["Stack", "mark_level"]


def test_what_an_own_rule_writes_is_cleaned_and_cut() -> None:
    rules = with_own_rules(["our_rules:add_what_is_not_printable"])
    signature = generate(CRASH, rules=rules).signature
    assert signature.startswith("f | xxx")
    assert len(signature) == 255


@pytest.mark.parametrize(("rule", "error"), [("stumble", "KeyError"), ("forget", "TypeError")])
def test_an_own_rule_that_fails_is_undone_and_noted_by_its_class_alone(
    rule: str, error: str
) -> None:
    rules = with_own_rules([f"our_rules:{rule}", "our_rules:mark_level"])
    result = generate(CRASH, rules=rules)
    assert result.signature == "level 3 | f"
    assert result.notes[0] == f"{rule}: it failed ({error}) and is left out"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("our_rules", "expected module:function"),
        (":f", "expected module:function"),
        ("our_rules:gone", "the module has no 'gone'"),
        ("our_rules:LEVEL", "'LEVEL' is no function"),
        ("no_such_module:f", "ModuleNotFoundError"),
        ("broken_rules:f", "ZeroDivisionError"),
    ],
)
def test_a_name_that_cannot_be_loaded_is_refused_with_its_reason(name: str, reason: str) -> None:
    with pytest.raises(RuleError, match=reason) as caught:
        with_own_rules([name])
    assert str(caught.value).startswith(repr(name))
