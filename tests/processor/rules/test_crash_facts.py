# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Bit flips, inconsistencies, guard pages and soft errors."""

import json
from typing import Any

import pytest

from processor.crash import Crash
from processor.rules.crash_facts import (
    CrashInconsistencies,
    GuardPageAccess,
    PossibleBitFlips,
    SoftErrors,
)
from tests.processor.conftest import MakeCrash

ODD = [None, 3, "text", {}, [], [None, 3, "text", []]]


def crashed(make_crash: MakeCrash, **crash_info: Any) -> Crash:
    return make_crash({"json_dump": {"crash_info": crash_info}})


def test_the_most_probable_bit_flip_counts_in_percent(make_crash: MakeCrash) -> None:
    flips = [{"confidence": 0.25}, {"confidence": 0.625}, {"confidence": None}, {}]
    crash = crashed(make_crash, possible_bit_flips=flips)
    assert PossibleBitFlips().act(crash) == {"possible_bit_flips_max_confidence": 62}


def test_a_flip_without_any_confidence_is_one_of_none(make_crash: MakeCrash) -> None:
    crash = crashed(make_crash, possible_bit_flips=[{"confidence": 0.0}])
    assert PossibleBitFlips().act(crash) == {"possible_bit_flips_max_confidence": 0}


@pytest.mark.parametrize("flips", [*ODD, [{"confidence": "0.5"}], [{"confidence": True}]])
def test_without_bit_flips_there_is_no_field(make_crash: MakeCrash, flips: Any) -> None:
    assert PossibleBitFlips().act(crashed(make_crash, possible_bit_flips=flips)) == {}


def test_inconsistencies_are_copied(make_crash: MakeCrash) -> None:
    crash = crashed(make_crash, crash_inconsistencies=["non_canonical_address_falsely_reported"])
    assert CrashInconsistencies().applies(crash)
    assert CrashInconsistencies().act(crash) == {
        "crash_inconsistencies": ["non_canonical_address_falsely_reported"]
    }


@pytest.mark.parametrize("dump", [{}, {"crash_info": None}, {"crash_info": {}}])
def test_a_walk_without_inconsistencies_has_null(
    make_crash: MakeCrash, dump: dict[str, Any]
) -> None:
    crash = make_crash({"json_dump": dump})
    assert CrashInconsistencies().applies(crash)
    assert CrashInconsistencies().act(crash) == {"crash_inconsistencies": None}


def test_without_a_walk_nothing_is_said_of_inconsistencies(make_crash: MakeCrash) -> None:
    assert not CrashInconsistencies().applies(make_crash())


def test_one_access_to_a_guard_page_is_enough(make_crash: MakeCrash) -> None:
    accesses = [{"is_likely_guard_page": False}, {"is_likely_guard_page": True}]
    crash = crashed(make_crash, memory_accesses=accesses)
    assert GuardPageAccess().act(crash) == {"has_guard_page_access": True}


@pytest.mark.parametrize("accesses", [*ODD, [{"is_likely_guard_page": False}], [{"address": 1}]])
def test_no_guard_page_is_never_said(make_crash: MakeCrash, accesses: Any) -> None:
    assert GuardPageAccess().act(crashed(make_crash, memory_accesses=accesses)) == {}


def test_soft_errors_are_kept_whole_as_json(make_crash: MakeCrash) -> None:
    errors = [{"StopProcessFailed": {"Stop": "EPERM"}}] * 1000
    crash = make_crash({"json_dump": {"soft_errors": errors}})
    assert SoftErrors().applies(crash)
    assert json.loads(SoftErrors().act(crash)["soft_errors"]) == errors


@pytest.mark.parametrize("dump", [None, {}, {"soft_errors": None}])
def test_null_is_no_soft_error(make_crash: MakeCrash, dump: Any) -> None:
    assert not SoftErrors().applies(make_crash({"json_dump": dump}))


@pytest.mark.parametrize("absurd", [10**400, 1e308, -(10**30), True, "1", None])
def test_a_confidence_that_is_none_is_left_out(make_crash: MakeCrash, absurd: object) -> None:
    flips = [{"confidence": absurd}, {"confidence": 0.25}]
    crash = make_crash({"json_dump": {"crash_info": {"possible_bit_flips": flips}}})
    assert PossibleBitFlips().act(crash) == {"possible_bit_flips_max_confidence": 25}
