# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash that the benchmark of processing measures is what it is said to be."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bench.processing.desktop import MODULES, THREADS, desktop_annotations, desktop_walk
from bench.processing.documents import DAY, DUMP, ParsedWalks
from processor.crash import Crash, clean_annotations
from processor.ruleset import make_rulesets
from socorro import settings
from socorro.crash_id import make_crash_id
from socorro.fields.schemas import processed_crash_schema
from socorro.signing import load_signer
from socorro.storage.encoding import encode_processed_crash

CRASH_ID = make_crash_id(DAY)


@pytest.fixture
def walk() -> dict[str, Any]:
    return desktop_walk()


@pytest.fixture
def processed(walk: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    walks = ParsedWalks()
    walks.give(walk)
    annotations = clean_annotations(desktop_annotations(CRASH_ID))
    crash = Crash(CRASH_ID, annotations, {DUMP: tmp_path / "a.dmp"}, tmp_path)
    return make_rulesets(walks, load_signer(settings.load()))["default"].run(crash, None)


def test_the_desktop_crash_is_processed_without_failures(processed: dict[str, Any]) -> None:
    assert processed["success"] is True
    assert processed["signature"].startswith("AsyncShutdownTimeout | profile-before-change")
    jsonschema.validate(processed, processed_crash_schema())


def test_the_desktop_crash_is_as_large_as_is_said(processed: dict[str, Any]) -> None:
    assert 820 <= len(encode_processed_crash(processed)) / 1024 <= 880
    assert len(processed["json_dump"]["threads"]) == THREADS == 90
    assert len(processed["json_dump"]["modules"]) == MODULES == 160


@pytest.mark.usefixtures("processed")
def test_the_rules_leave_the_stack_walk_as_it_is(walk: dict[str, Any]) -> None:
    assert walk == desktop_walk()
