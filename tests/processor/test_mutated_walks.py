# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stack walks with parts missing, of wrong types or absurd: every rule survives them.

`make test` runs a sample, `make soak` twenty times as many; the seed of each is its number.
"""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.pipeline import Pipeline
from processor.ruleset import load_rulesets
from processor.trial import GivenWalks, process_given
from socorro import settings
from socorro.fields import search_document, telemetry_document
from socorro.fields.checking import check_processed_crash
from socorro.fields.schemas import processed_crash_schema, telemetry_crash_schema

FOLDERS = (
    Path(__file__).parents[1] / "webapp" / "walks",
    Path(__file__).parent / "stackwalk" / "expected",
)
WALKS = [
    json.loads(path.read_text()) for folder in FOLDERS for path in sorted(folder.glob("*.json"))
]
PROCESSED = Draft202012Validator(processed_crash_schema())
TELEMETRY = Draft202012Validator(telemetry_crash_schema())
# Slower than all else, and of the same opinion as `check_processed_crash`.
VALIDATED_EVERY = 20
RAW = {
    "uuid": "35e2b0e4-5cf8-4f4e-9d6c-0b8e20261123",
    "submitted_timestamp": "2026-11-23T08:00:00+00:00",
    "ProductName": "DemoApp",
    "Version": "1.2.3",
}
ABSURD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 2**31, 2**63, 2**64, -(2**70), 10**400, 1.5, 1e308, "", "\0",
    "0x", "-1", "x" * 3000, "\ud800", "../../etc/passwd", "https://u:p@localhost/?x", "[", {}, [],
    [None], [[]], [{}], {"": {}}, {"truncated": 1}, [{"frames": [None]}], "OK", "Windows NT",
    [{"confidence": "high"}], {"num_records": 2**70}, {"kind": "null-pointer"},
)  # fmt: skip
# What rules look at although no sample has it.
EXTRAS: dict[str, Any] = {
    "adjusted_address": {"kind": "non-canonical", "address": "0xdead"},
    "possible_bit_flips": [{"confidence": 0.25, "address": "0x1"}],
    "memory_accesses": [{"is_likely_guard_page": True}],
    "crash_inconsistencies": ["int_div_by_zero_not_possible"],
    "mac_crash_info": {"num_records": 1, "records": [{"message": "m"}]},
    "mac_boot_args": " -v ",
    "soft_errors": [{"a": 1}],
    "lsb_release": {"description": "Debian"},
    "unloaded_modules": [{"module": "old.dll", "offsets": ["0x1"]}],
    "thread_name": "main",
    "last_error_value": "ERROR_SUCCESS",
}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container within a value with every key or index of it."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def mutated(seed: int) -> Any:
    """Return a walk with some parts changed; the same for the same seed."""
    chance = random.Random(seed)
    walk = copy.deepcopy(WALKS[seed % len(WALKS)])
    # What is at the top decides more than the thousandth frame.
    for name in chance.sample(sorted(EXTRAS), 3):
        chance.choice([walk, walk["crash_info"], walk["threads"][0]])[name] = copy.deepcopy(
            EXTRAS[name]
        )
    for _ in range(chance.randint(1, 12)):
        found = [place for place in places(walk) if chance.random() < 0.2] or list(places(walk))
        if not found:
            break
        container, key = chance.choice(found[: chance.choice([5, 40, len(found)])])
        change(chance, container, key)
    return walk


def change(chance: random.Random, container: Any, key: Any) -> None:
    match chance.randrange(5):
        case 0:
            del container[key]
        case 1 if isinstance(container, list):
            container.extend([container[key]] * chance.choice([1, 600]))
        case 2 if isinstance(container, dict):
            container[chance.choice(sorted(EXTRAS))] = container.pop(key)
        case _:
            container[key] = copy.deepcopy(chance.choice(ABSURD))


@pytest.fixture(scope="module")
def ruleset() -> tuple[Pipeline, GivenWalks]:
    walks = GivenWalks()
    return load_rulesets(settings.load(), walks, online=False)["default"], walks


def check(ruleset: tuple[Pipeline, GivenWalks], seed: int) -> None:
    line = {"raw_crash": RAW, "stackwalk": mutated(seed), "stackwalk_browser": mutated(seed + 1)}
    line = {key: value for key, value in line.items() if isinstance(value, dict)}
    processed = process_given(line, *ruleset)
    notes = processed["processor_notes"].splitlines()
    assert [note for note in notes if "failed: " in note and note.startswith("ruleset")] == [], seed
    assert processed["success"] is True, seed
    # Of nothing but characters that cannot be printed, nothing is left.
    assert isinstance(processed["signature"], str), seed
    assert check_processed_crash(processed).problems == (), seed
    exported = telemetry_document(processed)
    if seed % VALIDATED_EVERY == 0:
        assert [error.message[:200] for error in PROCESSED.iter_errors(processed)] == [], seed
        assert [error.message[:200] for error in TELEMETRY.iter_errors(exported)] == [], seed
    assert search_document(processed)["uuid"] == RAW["uuid"]
    json.dumps(processed, allow_nan=False)


@pytest.mark.parametrize("block", range(4))
def test_every_rule_survives_walks_of_any_form(
    ruleset: tuple[Pipeline, GivenWalks], block: int
) -> None:
    for seed in range(block * 60, block * 60 + 60):
        check(ruleset, seed)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("block", range(20))
def test_every_rule_survives_very_many_walks_of_any_form(
    ruleset: tuple[Pipeline, GivenWalks], block: int
) -> None:
    for seed in range(1000 + block * 250, 1250 + block * 250):
        check(ruleset, seed)


def test_a_walk_of_a_sample_is_taken_as_it_is(ruleset: tuple[Pipeline, GivenWalks]) -> None:
    for walk in WALKS:
        processed = process_given({"raw_crash": RAW, "stackwalk": walk}, *ruleset)
        assert processed["json_dump"] == walk
