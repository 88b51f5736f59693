# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Values of crashes, made safe to show."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.crashstats.values import (
    LONGEST_TEXT,
    any_text,
    duration,
    integer,
    mappings,
    moment,
    text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_any_value_becomes_a_text_that_a_page_can_carry(value: Any) -> None:
    for shown in (text(value), any_text(value)):
        assert len(shown) <= LONGEST_TEXT + 1
        shown.encode()
        assert "\0" not in shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("as it is", "as it is"),
        (3, "3"),
        (1.5, "1.5"),
        (None, ""),
        (True, ""),
        ([], ""),
        ({}, ""),
        pytest.param(10**100_000, "", id="huge"),
        ("\0", "\ufffd"),
        ("é\0", "é\ufffd"),
        ("\ud800", "?"),
    ],
)
def test_texts_and_numbers_are_shown(value: Any, expected: str) -> None:
    assert text(value) == expected


def test_objects_are_shown_as_json() -> None:
    assert any_text({"b": [True], "a": "é"}) == '{\n "a": "é",\n "b": [\n  true\n ]\n}'
    assert any_text(True) == "true"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3725, "1 h 2 min"),
        (90_000, "1 d 1 h"),
        (-5, "-5 s"),
        (2**62, "53,375,995,583,650 d 7 h"),
    ],
)
def test_durations_are_in_the_units_that_say_most(seconds: int, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize("value", [True, "1", 1.0, None, 2**63, -(2**63) - 1])
def test_only_integers_of_64_bits_are_integers(value: Any) -> None:
    assert integer(value) is None
    assert integer(2**63 - 1) == 2**63 - 1


@pytest.mark.parametrize("value", [None, 3, "", "soon", "2026-13-01", "0001-01-01T00:00:00+23:00"])
def test_what_is_no_time_is_none(value: Any) -> None:
    assert moment(value) is None


def test_times_are_in_utc() -> None:
    expected = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert moment("2026-11-22T20:00:00+02:00") == expected
    assert moment("2026-11-22 18:00:00") == expected


def test_of_a_list_only_the_objects_are_taken() -> None:
    assert mappings([{"a": 1}, 3, None, "x", []]) == [{"a": 1}]
    assert mappings({"a": 1}) == []
