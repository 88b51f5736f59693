# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A ruleset runs whole, whatever one rule does."""

import os
import re
from collections.abc import Mapping
from typing import Any

import pytest

from processor.crash import Crash
from processor.pipeline import PIPELINE_FIELDS, Pipeline, RulesetError, StackwalkerNotReadyError
from processor.rules.base import Rule
from processor.rules.identity import Identifiers
from processor.ruleset import make_rulesets
from processor.walker import WalkerSource
from socorro import __version__, settings
from socorro.fields import FIELDS
from socorro.signing import load_signer
from tests.processor.conftest import CRASH_ID, MakeCrash


class WritesProduct(Rule):
    writes = frozenset({"product"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        crash.note("wrote")
        return {"product": "DemoApp"}


class Raises(Rule):
    writes = frozenset({"version"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        crash.note("half done")
        raise KeyError("secret value of an annotation")


class WritesTooMuch(Rule):
    writes = frozenset({"version"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        return {"version": "1", "product": "other"}


class NotReady(Rule):
    def act(self, crash: Crash) -> Mapping[str, Any]:
        raise StackwalkerNotReadyError


class ReadsUnwritten(Rule):
    reads = frozenset({"reason"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        return {}


class WritesUnknown(Rule):
    writes = frozenset({"no_such_field"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        return {}


def test_a_rule_that_raises_leaves_a_note_with_the_class_alone(make_crash: MakeCrash) -> None:
    processed = Pipeline("default", [Raises(), WritesProduct()]).run(make_crash(), None)
    assert processed["product"] == "DemoApp"
    assert "version" not in processed
    assert processed["success"] is False
    notes = processed["processor_notes"]
    assert "rule 'Raises' failed: KeyError" in notes
    assert "secret value" not in notes
    assert "half done" not in notes


def test_a_rule_that_writes_what_it_did_not_declare_changes_nothing(make_crash: MakeCrash) -> None:
    processed = Pipeline("default", [WritesProduct(), WritesTooMuch()]).run(make_crash(), None)
    assert processed["product"] == "DemoApp"
    assert "version" not in processed


def test_a_crash_that_must_wait_for_the_stackwalker_is_not_processed(make_crash: MakeCrash) -> None:
    with pytest.raises(StackwalkerNotReadyError):
        Pipeline("default", [NotReady()]).run(make_crash(), None)


def test_a_rule_that_reads_what_nothing_writes_is_refused() -> None:
    with pytest.raises(RulesetError, match="ReadsUnwritten: nothing writes reason"):
        Pipeline("default", [ReadsUnwritten()])


def test_a_rule_that_writes_an_unknown_field_is_refused() -> None:
    with pytest.raises(RulesetError, match="WritesUnknown: not in the field registry"):
        Pipeline("default", [WritesUnknown()])


def test_the_history_keeps_the_latest_runs_and_the_first(make_crash: MakeCrash) -> None:
    processed: dict[str, Any] | None = None
    pipeline = Pipeline("default", [])
    for run in range(80):
        processed = pipeline.run(make_crash(), processed)
        processed["processor_notes"] = str(run)
    assert processed is not None
    history = processed["processor_history"]
    assert history == [*(str(run) for run in range(78, 29, -1)), "0"]


def test_notes_say_who_processed_a_crash_and_when(make_crash: MakeCrash) -> None:
    processed = Pipeline("default", []).run(make_crash(), None)
    start = re.fullmatch(
        r">>> Start processing: (.{25}) \((.+):(\d+), socorro (.+)\)", processed["processor_notes"]
    )
    assert start
    assert start[1] == processed["started_datetime"]
    assert (int(start[3]), start[4]) == (os.getpid(), __version__)


def test_nothing_of_an_earlier_run_survives_but_its_notes(make_crash: MakeCrash) -> None:
    stored = {"reason": "stale", "processor_notes": "second", "processor_history": ["first"]}
    processed = Pipeline("default", [Identifiers()]).run(make_crash(), stored)
    assert "reason" not in processed
    assert processed["processor_history"] == ["second", "first"]
    assert processed["uuid"] == CRASH_ID


def test_a_partial_ruleset_keeps_the_stored_fields(make_crash: MakeCrash) -> None:
    pipeline = Pipeline("partial", [WritesProduct()], from_stored=True)
    processed = pipeline.run(make_crash(), {"reason": "SIGSEGV", "processor_notes": "before"})
    assert processed["reason"] == "SIGSEGV"
    assert processed["product"] == "DemoApp"


def test_the_shipped_rulesets_fit_the_registry() -> None:
    loaded = settings.load()
    rulesets = make_rulesets(WalkerSource(loaded), load_signer(loaded))
    assert rulesets.keys() == {"default", "regenerate_signature"}


def test_every_registered_field_is_written_by_a_rule_or_the_pipeline() -> None:
    loaded = settings.load()
    default = make_rulesets(WalkerSource(loaded), load_signer(loaded))["default"]
    written = PIPELINE_FIELDS.union(*(rule.writes for rule in default._rules))
    assert written == FIELDS.keys()


def test_a_value_of_a_wrong_type_is_left_out_and_noted(make_crash: MakeCrash) -> None:
    class WritesOddTypes(Rule):
        writes = frozenset({"uptime", "last_crash", "version", "addons"})

        def act(self, crash: Crash) -> Mapping[str, Any]:
            return {"uptime": True, "last_crash": None, "version": None, "addons": ["a:1"]}

    processed = Pipeline("odd", [Identifiers(), WritesOddTypes()]).run(make_crash(), None)
    assert processed["addons"] == ["a:1"]
    assert processed["last_crash"] is None
    assert not {"uptime", "version"} & processed.keys()
    notes = processed["processor_notes"].splitlines()[1:]
    assert notes == [
        "rule 'WritesOddTypes': uptime is not integer",
        "rule 'WritesOddTypes': version is not string",
    ]
