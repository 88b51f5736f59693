# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Dates, ages and uptime."""

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
        "submitted_timestamp": "2026-11-22T10:00:00+00:00",
        "date_processed": "2026-11-22T10:00:00+00:00",
        "crash_time": EPOCH - 10,
        "client_crash_date": "2026-11-22T09:59:50+00:00",
        "startup_time": EPOCH - 100,
        "install_time": EPOCH - 1000,
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
    assert crash.notes == ["WARNING: raw_crash missing CrashTime"]


@pytest.mark.parametrize("bad", ["", "soon", "-1", "1e9", "9" * 30, "99999999999999"])
def test_a_bad_crash_time_is_zero_with_a_note(make_crash: MakeCrash, bad: str) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED, CrashTime=bad)
    assert DatesAndTimes().act(crash)["crash_time"] == 0
    assert crash.notes == ["CrashTime is not a time: using 0"]


def test_uptime_is_never_negative(make_crash: MakeCrash) -> None:
    crash = make_crash(
        {"startup_time": EPOCH}, submitted_timestamp=SUBMITTED, CrashTime=str(EPOCH - 5)
    )
    assert DatesAndTimes().act(crash)["uptime"] == 0


def test_a_number_too_large_for_the_index_is_no_last_crash(make_crash: MakeCrash) -> None:
    crash = make_crash(submitted_timestamp=SUBMITTED, SecondsSinceLastCrash=str(2**63))
    assert DatesAndTimes().act(crash)["last_crash"] is None


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
