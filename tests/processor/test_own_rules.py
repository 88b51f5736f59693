# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A deployment's own rules run in their places among ours."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from processor.crash import Crash
from processor.own_rules import load_own_rules, with_own_rules
from processor.pipeline import RulesetError
from processor.rules.annotations import CopyAnnotations
from processor.rules.base import Rule
from processor.rules.versions import EsrVersion, MajorVersion
from processor.ruleset import load_rulesets
from processor.trial import GivenWalks, process_given
from socorro import settings
from socorro.settings import SettingError

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
OURS = [CopyAnnotations(), EsrVersion(), MajorVersion()]


class AtTheEnd(Rule):
    def act(self, crash: Crash) -> Mapping[str, Any]:
        return {}


class BeforeEsr(AtTheEnd):
    runs_before = "EsrVersion"


class BeforeNothing(AtTheEnd):
    runs_before = "NoSuchRule"


def names(rules: list[Rule]) -> list[str]:
    return [type(rule).__name__ for rule in rules]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """Write a module of own rules; return its name, which no other test has."""
    name = f"own_rules_{abs(hash(request.node.nodeid))}"

    def write(code: str) -> str:
        (tmp_path / f"{name}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return write


def test_they_run_at_the_end_or_before_the_one_they_name() -> None:
    placed = with_own_rules(OURS, [AtTheEnd(), BeforeEsr()])
    assert names(placed) == [
        "CopyAnnotations",
        "BeforeEsr",
        "EsrVersion",
        "MajorVersion",
        "AtTheEnd",
    ]


def test_those_with_the_same_place_keep_their_order() -> None:
    first, second, third, fourth = BeforeEsr(), BeforeEsr(), AtTheEnd(), AtTheEnd()
    placed = with_own_rules(OURS, [third, first, fourth, second])
    assert placed == [OURS[0], first, second, OURS[1], OURS[2], third, fourth]


def test_one_can_run_before_another_of_the_same_deployment() -> None:
    class BeforeTheEnd(AtTheEnd):
        runs_before = "AtTheEnd"

    placed = with_own_rules(OURS, [AtTheEnd(), BeforeTheEnd()])
    assert names(placed)[-2:] == ["BeforeTheEnd", "AtTheEnd"]


def test_a_place_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(RulesetError, match="BeforeNothing: there is no rule 'NoSuchRule'"):
        with_own_rules(OURS, [BeforeNothing()])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("def", "cannot be imported: SyntaxError"),
        ("", "has no list RULES"),
        ("RULES = 7", "has no list RULES"),
        ("RULES = [object()]", "has no list RULES"),
        ("from processor.rules.annotations import *\nRULES = [CopyAnnotations]", "instances of"),
    ],
)
def test_a_module_that_is_wrong_is_named(module: Any, code: str, error: str) -> None:
    name = module(code)
    with pytest.raises(RulesetError, match=f"{name} .*{error}"):
        load_own_rules([name])


def test_a_module_that_does_not_exist_is_named() -> None:
    loaded = replace(settings.load(), processor_rules=("no_such_module",))
    with pytest.raises(SettingError, match="PROCESSOR_RULES: no_such_module cannot be imported"):
        load_rulesets(loaded, GivenWalks(), online=False)


def test_a_rule_that_does_not_fit_stops_the_start(module: Any) -> None:
    name = module(
        "from processor.rules.base import Rule\n"
        "class Wrong(Rule):\n"
        "    writes = frozenset({'no_such_field'})\n"
        "    act = None\n"
        "RULES = [Wrong()]\n"
    )
    loaded = replace(settings.load(), processor_rules=(name,))
    expected = "PROCESSOR_RULES: Wrong: not in the field registry: no_such_field."
    with pytest.raises(SettingError, match=expected):
        load_rulesets(loaded, GivenWalks(), online=False)


def test_a_rule_that_raises_costs_nothing_else(
    module: Any, caplog: pytest.LogCaptureFixture
) -> None:
    name = module(
        "from processor.rules.base import Rule\n"
        "class Fails(Rule):\n"
        "    runs_before = 'CopyAnnotations'\n"
        "    def act(self, crash):\n"
        "        raise KeyError(crash.text('URL'))\n"
        "RULES = [Fails()]\n"
    )
    with caplog.at_level(logging.CRITICAL):
        processed = process(name, {"ProductName": "DemoApp", "URL": "private"})
    assert processed["product"] == "DemoApp"
    assert "ruleset 'default' rule 'Fails' failed: KeyError" in processed["processor_notes"]
    assert processed["success"] is False


@pytest.mark.parametrize(
    ("product", "version", "expected"),
    [
        ("AcmePaint", "4.2 (build 1234)", "4.2"),
        ("AcmePaint", "4.2", "4.2"),
        ("AcmePaint", None, None),
        ("DemoApp", "4.2 (build 1234)", "4.2 (build 1234)"),
    ],
)
def test_the_example_of_the_documentation_works(
    monkeypatch: pytest.MonkeyPatch, product: str, version: str | None, expected: str | None
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    processed = process("acme_rules", {"ProductName": product, "Version": version})
    assert processed.get("version") == expected
    assert "failed" not in processed["processor_notes"]


def process(module: str, annotations: dict[str, Any]) -> dict[str, Any]:
    """Return the processed crash of annotations, made with the own rules of a module."""
    walks = GivenWalks()
    loaded = replace(settings.load(), processor_rules=(module,))
    pipeline = load_rulesets(loaded, walks, online=False)["default"]
    given = {"uuid": "0b5e3a1c-9c1e-4a6e-8f43-2b8d10261122", "CrashTime": "5"}
    return process_given({"raw_crash": {**given, **annotations}}, pipeline, walks)
