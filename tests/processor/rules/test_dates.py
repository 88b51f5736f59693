# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Dates, ages and uptime."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crash import Crash
from processor.rules.dates import DatesAndTimes
from tests.processor.conftest import CRASH_ID, MakeCrash

SUBMITTED = "2026-11-22T10:00:00.000000+00:00"
EPOCH = 1795341600


def test_the_ordinary_case_has_all_dates_and_ages(make_crash: MakeCrash) -> None:
    crash = make_crash(
        {"startup_time": EPOCH - 100},
        submitted_timestamp=SUBMITTED,
        CrashTime=str(EPOCH - 10),
        InstallTime=str(EPOCH - 1000),
        SecondsSinceLastCrash="86400",
    )
    assert DatesAndTimes().act(crash) == {
        "submitted_timestamp": SUBMITTED,
        "date_processed": SUBMITTED,
        "crash_time": EPOCH - 10,
        "client_crash_date": "2026-11-22T09:59:50+00:00",
        "install_age": 990,
        "uptime": 90,
        "last_crash": 86400,
    }
    assert crash.notes == []


def test_a_report_without_dates_has_those_of_its_collection(make_crash: MakeCrash) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED)
    fields = DatesAndTimes().act(crash)
    assert fields["crash_time"] == EPOCH
    assert fields["uptime"] == 0
    assert fields["last_crash"] is None
    assert fields["install_age"] == 0
    assert crash.notes == [
        "WARNING: raw_crash missing CrashTime",
        "client_crash_date is unknown",
    ]


@pytest.mark.parametrize("bad", ["", "soon", "1e9", "1_000", "12.5", "٣", "9999 99999"])
def test_a_bad_crash_time_is_zero_with_a_note(make_crash: MakeCrash, bad: str) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED, CrashTime=bad)
    fields = DatesAndTimes().act(crash)
    assert fields["crash_time"] == 0
    assert fields["client_crash_date"] == "1970-01-01T00:00:00+00:00"
    assert crash.notes == ['non-integer value of "CrashTime"']


@pytest.mark.parametrize(
    ("given", "crash_time"),
    [
        (f"{EPOCH - 7}.25", EPOCH - 7),
        (EPOCH - 7, EPOCH - 7),
        (EPOCH - 7.5, EPOCH - 8),
        (f" {EPOCH - 7}", (EPOCH - 7) // 10),
        ("9" * 30, 9_999_999_999),
        ("-5", -5),
    ],
)
def test_ten_characters_of_the_crash_time_count(
    make_crash: MakeCrash, given: object, crash_time: int
) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED, CrashTime=given)
    assert DatesAndTimes().act(crash)["crash_time"] == crash_time


def test_a_crash_in_the_second_of_its_collection_has_an_unknown_date(
    make_crash: MakeCrash,
) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED, CrashTime=str(EPOCH))
    assert DatesAndTimes().act(crash)["client_crash_date"] == "2026-11-22T10:00:00+00:00"
    assert crash.notes == ["client_crash_date is unknown"]


@pytest.mark.parametrize(
    ("submitted", "kept"),
    [
        ("2026-11-22T10:00:00.123456+00:00", "2026-11-22T10:00:00.123456+00:00"),
        ("2026-11-22T12:00:00+02:00", "2026-11-22T10:00:00+00:00"),
        ("2026-11-22T10:00:00", "2026-11-22T10:00:00+00:00"),
        ("yesterday", "2026-11-22T00:00:00+00:00"),
        ("0001-01-01T00:00:00+05:00", "2026-11-22T00:00:00+00:00"),
        (None, "2026-11-22T00:00:00+00:00"),
        (5, "2026-11-22T00:00:00+00:00"),
    ],
)
def test_the_date_is_when_the_report_was_collected(
    make_crash: MakeCrash, submitted: object, kept: str
) -> None:
    fields = DatesAndTimes().act(make_crash(submitted_timestamp=submitted, CrashTime="5"))
    assert fields["submitted_timestamp"] == fields["date_processed"] == kept


def test_without_any_date_it_is_the_first_of_all(make_crash: MakeCrash) -> None:
    crash = replace(make_crash(CrashTime="5"), crash_id="no id")
    assert DatesAndTimes().act(crash)["date_processed"] == "1970-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("given", "age", "notes"),
    [
        (str(EPOCH + 5), -105, []),
        (f" {EPOCH - 200} ", 100, []),
        (EPOCH - 200, 100, []),
        (EPOCH - 200.0, 100, []),
        ("", EPOCH - 100, ['non-integer value of "InstallTime"']),
        ("12.5", EPOCH - 100, ['non-integer value of "InstallTime"']),
        ("9" * 25, EPOCH - 100, ['non-integer value of "InstallTime"']),
        (10**400, EPOCH - 100, ['non-integer value of "InstallTime"']),
        (float("inf"), EPOCH - 100, ['non-integer value of "InstallTime"']),
        ([5], EPOCH - 100, ['non-integer value of "InstallTime"']),
        (None, 200, []),
    ],
)
def test_the_age_of_the_installation_is_counted_to_the_crash(
    make_crash: MakeCrash, given: object, age: int, notes: list[str]
) -> None:
    crash = make_crash(
        {"startup_time": EPOCH - 300},
        submitted_timestamp=SUBMITTED,
        CrashTime=str(EPOCH - 100),
        InstallTime=given,
    )
    assert DatesAndTimes().act(crash)["install_age"] == age
    assert crash.notes == notes


def test_uptime_is_never_negative(make_crash: MakeCrash) -> None:
    crash = make_crash(
        {"startup_time": EPOCH}, submitted_timestamp=SUBMITTED, CrashTime=str(EPOCH - 5)
    )
    assert DatesAndTimes().act(crash)["uptime"] == 0


def test_an_absurd_start_is_not_looked_at(make_crash: MakeCrash) -> None:
    crash = make_crash(
        {"startup_time": -(2**63)}, submitted_timestamp=SUBMITTED, CrashTime=str(EPOCH - 5)
    )
    assert DatesAndTimes().act(crash)["uptime"] == 0


@pytest.mark.parametrize(
    ("given", "seconds", "notes"),
    [
        ("86400", 86400, []),
        (86400, 86400, []),
        (86400.5, 86400, []),
        (str(2**63 - 1), 2**63 - 1, []),
        (str(2**63), None, ['"SecondsSinceLastCrash" larger than MAXINT - set to NULL']),
        (2**70, None, ['"SecondsSinceLastCrash" larger than MAXINT - set to NULL']),
        ("", None, ['non-integer value of "SecondsSinceLastCrash"']),
        ("a day", None, ['non-integer value of "SecondsSinceLastCrash"']),
        ({}, None, ['non-integer value of "SecondsSinceLastCrash"']),
        (None, None, []),
    ],
)
def test_the_last_crash_is_a_number_that_fits_the_index(
    make_crash: MakeCrash, given: object, seconds: int | None, notes: list[str]
) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED, CrashTime="5", SecondsSinceLastCrash=given)
    assert DatesAndTimes().act(crash)["last_crash"] == seconds
    assert crash.notes == notes


def test_a_truth_value_of_json_becomes_a_number(make_crash: MakeCrash) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED, SecondsSinceLastCrash=True)
    assert repr(DatesAndTimes().act(crash)["last_crash"]) == "1"


@given(
    st.dictionaries(
        st.sampled_from(
            ["submitted_timestamp", "CrashTime", "InstallTime", "SecondsSinceLastCrash"]
        ),
        st.one_of(
            st.text(max_size=25), st.integers(), st.floats(), st.booleans(), st.lists(st.none())
        ),
    ),
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
)
def test_no_annotation_makes_it_raise(annotations: dict[str, Any], startup: object) -> None:
    crash = Crash(CRASH_ID, annotations, {}, None, {"startup_time": startup})  # type: ignore[arg-type]
    assert DatesAndTimes().act(crash)["uptime"] >= 0
