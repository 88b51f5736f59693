# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash that rules work on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markus.testing import MetricsMock

from processor.crash import clean_annotations
from tests.processor.conftest import MakeCrash


def test_an_annotation_from_a_json_part_is_text_whatever_its_type(make_crash: MakeCrash) -> None:
    crash = make_crash(A=True, B=False, C=12, D=1.5, E="x", F={"a": 1}, G=["b"])
    assert [crash.text(name) for name in "ABCDEFGH"] == [
        "1",
        "0",
        "12",
        "1.5",
        "x",
        None,
        None,
        None,
    ]


def test_nulls_are_left_out_and_nul_characters_removed() -> None:
    raw = {"A": None, "B": "x\0y", "C\0": "kept", "D": {"n": "\0"}}
    assert clean_annotations(raw) == {"B": "xy", "C": "kept", "D": {"n": "\0"}}


def test_a_name_with_nul_does_not_replace_the_real_one() -> None:
    assert clean_annotations({"A\0": "odd", "A": "real"}) == {"A": "real"}


@pytest.mark.parametrize(
    ("raw", "counted"),
    [
        ({"A": "x"}, set()),
        ({"A": None, "B": None}, {"denonerule.had_nones"}),
        ({"A\0": "x", "B": "\0"}, {"denullrule.has_nulls"}),
        ({"A\0": None}, {"denonerule.had_nones"}),
        ({"A": None, "B": "\0"}, {"denonerule.had_nones", "denullrule.has_nulls"}),
    ],
)
def test_a_report_that_needs_cleaning_is_counted_once(
    raw: dict[str, str | None], counted: set[str]
) -> None:
    with MetricsMock() as metrics:
        clean_annotations(raw)
    assert [record.key for record in metrics.filter_records("incr")] == [
        f"socorro.processor.{name}" for name in sorted(counted)
    ]


@given(st.dictionaries(st.text(max_size=4), st.one_of(st.none(), st.text(max_size=4))))
def test_no_value_is_lost_but_nulls_and_doubles(raw: dict[str, str | None]) -> None:
    cleaned = clean_annotations(raw)
    names = {name.replace("\0", "") for name, value in raw.items() if value is not None}
    assert cleaned.keys() == names
    assert not any("\0" in name or "\0" in str(value) for name, value in cleaned.items())


def test_frames_of_an_impossible_crashing_thread_are_none(make_crash: MakeCrash) -> None:
    dump = {"threads": [{"frames": [{"frame": 0}]}]}
    for index in (-1, 1, 99, None, "0"):
        assert make_crash({"json_dump": dump, "crashing_thread": index}).crashing_frames == []
    assert make_crash({"json_dump": dump, "crashing_thread": 0}).crashing_frames == [{"frame": 0}]
