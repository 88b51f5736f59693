# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash ids."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.crash_id import (
    InvalidCrashId,
    Throttle,
    date_of,
    is_crash_id,
    make_crash_id,
    parse_crash_id,
    throttle_of,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CRASH_ID = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122"
NONE = [
    "",
    "bp-",
    CRASH_ID[:-1],
    CRASH_ID + "0",
    f"{CRASH_ID}\n",
    f" {CRASH_ID}",
    f"\n{CRASH_ID}",
    CRASH_ID.upper(),
    CRASH_ID.replace("-", ""),
    CRASH_ID.replace("0b5e", "0b5g", 1),
    CRASH_ID[:-6] + "261322",
    CRASH_ID[:-6] + "260230",
    CRASH_ID[:-6] + "000000",
    CRASH_ID[:-1] + "\u0662",
    CRASH_ID.replace("-", "\u2010"),
    "../../../../../etc/passwd/x-x-xx-261122",
]


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.times(), st.sampled_from(Throttle))
def test_an_id_carries_verdict_and_day_and_is_one(day: date, at: time, throttle: Throttle) -> None:
    crash_id = make_crash_id(datetime.combine(day, at, UTC), throttle)
    assert is_crash_id(crash_id)
    assert parse_crash_id(crash_id) == crash_id
    assert date_of(crash_id) == day
    assert throttle_of(crash_id) == throttle


def test_an_id_is_a_random_uuid_but_for_its_end() -> None:
    ids = [make_crash_id(NOON) for _ in range(1000)]
    shape = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{5}0261122")
    assert all(shape.fullmatch(crash_id) for crash_id in ids)
    assert len({crash_id[:-7] for crash_id in ids}) == 1000


def test_the_day_is_utcs() -> None:
    evening = datetime(2026, 11, 22, 23, tzinfo=timezone(-timedelta(hours=5)))
    assert date_of(make_crash_id(evening)) == date(2026, 11, 23)


def test_the_prefix_of_clients_is_taken_off() -> None:
    assert parse_crash_id(f"bp-{CRASH_ID}") == CRASH_ID
    assert not is_crash_id(f"bp-{CRASH_ID}")
    with pytest.raises(InvalidCrashId):
        parse_crash_id(f"bp-bp-{CRASH_ID}")


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_crash_id_is_refused(text: str) -> None:
    assert not is_crash_id(text)
    with pytest.raises(InvalidCrashId):
        parse_crash_id(text)


@pytest.mark.parametrize("other", [None, 1, [CRASH_ID], CRASH_ID.encode(), {}])
def test_what_is_no_text_is_no_crash_id(other: object) -> None:
    assert not is_crash_id(other)


def test_an_error_quotes_no_more_than_a_line() -> None:
    with pytest.raises(InvalidCrashId) as caught:
        parse_crash_id("x" * 10_000)
    assert len(str(caught.value)) < 200


def test_ids_of_other_systems_may_have_any_digit_before_the_date() -> None:
    crash_id = CRASH_ID[:-7] + "f" + CRASH_ID[-6:]
    assert is_crash_id(crash_id)
    assert throttle_of(crash_id) == 15
