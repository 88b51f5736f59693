# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Add-ons."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crash import Crash
from processor.rules.addons import Addons, ThemePrettyName
from tests.processor.conftest import CRASH_ID, MakeCrash

THEME = "{972ce4c6-7e08-4474-a285-3208198ce6fd}"


@pytest.mark.parametrize(
    ("listed", "addons"),
    [
        ("", []),
        ("one%40example.com:1.0", ["one@example.com:1.0"]),
        ("one:1.0,two", ["one:1.0", "two:NO_VERSION"]),
        ("a+b%2Cc:1:2", ["a b,c:1:2"]),
        # A colon that is encoded is not the one before the version.
        ("a%3Ab", ["a:b:NO_VERSION"]),
        ("one:1,,two:2", ["one:1", ":NO_VERSION", "two:2"]),
        ("%ff%zz:1", ["\ufffd%zz:1"]),
    ],
)
def test_addons_are_ids_and_versions(make_crash: MakeCrash, listed: str, addons: list[str]) -> None:
    assert Addons().act(make_crash(**{"Add-ons": listed}))["addons"] == addons


def test_a_report_without_addons_has_an_empty_list(make_crash: MakeCrash) -> None:
    assert Addons().act(make_crash()) == {"addons": [], "addons_checked": None}


@pytest.mark.parametrize(
    ("said", "checked"),
    [
        ("true", True),
        ("TRUE", True),
        ("false", False),
        ("1", False),
        ("", False),
        (True, True),
        (False, False),
        (["true"], None),
    ],
)
def test_only_the_word_true_says_that_they_were_checked(
    make_crash: MakeCrash, said: object, checked: bool | None
) -> None:
    assert Addons().act(make_crash(EMCheckCompatibility=said))["addons_checked"] is checked


def test_the_default_theme_gets_a_name(make_crash: MakeCrash) -> None:
    given = [f"{THEME}:45.0.1", "one:1", THEME, f"x{THEME}:1"]
    crash = make_crash({"addons": given})
    assert ThemePrettyName().applies(crash)
    assert ThemePrettyName().act(crash)["addons"] == [
        f"{THEME} (default theme):45.0.1",
        "one:1",
        f"{THEME} (default theme)",
        f"x{THEME}:1",
    ]
    assert crash.processed["addons"] == given


@pytest.mark.parametrize("processed", [{}, {"addons": []}, {"addons": [f"one:{THEME}"]}])
def test_without_the_default_theme_nothing_changes(
    make_crash: MakeCrash, processed: dict[str, Any]
) -> None:
    assert not ThemePrettyName().applies(make_crash(processed))


@given(st.one_of(st.text(), st.integers(), st.lists(st.text())), st.one_of(st.text(), st.floats()))
def test_no_list_makes_it_raise(listed: object, said: object) -> None:
    annotations = {"Add-ons": listed, "EMCheckCompatibility": said}
    crash = Crash(CRASH_ID, annotations, {}, None)  # type: ignore[arg-type]
    fields = Addons().act(crash)
    assert all(":" in addon for addon in fields["addons"])
