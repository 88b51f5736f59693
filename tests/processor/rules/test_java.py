# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Java stack traces without their messages, and breadcrumbs."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crash import Crash
from processor.rules.java import Breadcrumbs, JavaStackTrace
from tests.processor.conftest import CRASH_ID, MakeCrash

SECRET = "s3cret"
CRUMB = {
    "timestamp": "2026-11-23T00:00:00",
    "message": "clicked",
    "category": "ui",
    "level": "info",
    "type": "user",
    "data": {"id": "a", "count": 3},
}


@pytest.mark.parametrize(
    ("raw", "public"),
    [
        ("a.b.Exc: msg\n\tat a.B.c(B.java:1)", "a.b.Exc\n\tat a.B.c(B.java:1)"),
        ("Exc: m\nmore\n\nlines\n\tat a\n\tat b\n", "Exc\n\tat a\n\tat b"),
        ("Exc\n\tat a", "Exc\n\tat a"),
        (" Exc : x: y\r\n\tat a\r\n", "Exc\n\tat a"),
        ("a.b.Exc", "a.b.Exc\n"),
        ("OutOfMemoryError: s3cret", "OutOfMemoryError\n"),
        ("Exc: m\n\tat a\n\tSuppressed: X: s3cret\n\t\tat b\nCaused by: Y\n\tat c", "Exc\n\tat a"),
        ("Exc: m\n\tat a\n\nCaused by: Y: s3cret\n\tat c", "Exc\n\tat a"),
        ("a.Exc: m\nCaused by: Y: s3cret\n\tat c", "a.Exc\n"),
        ("Exc: m\n\tat a\n\t... 5 more", "Exc\n\tat a"),
        ("Exc: m\n\tat a\n\ts3cret\n\tat b", "Exc\n\tat a\n\tat b"),
        ("Exc: m\nat not.a.tab\n\tat a", "Exc\n\tat a"),
    ],
)
def test_the_class_and_the_stack_are_public(make_crash: MakeCrash, raw: str, public: str) -> None:
    crash = make_crash(JavaStackTrace=raw)
    rule = JavaStackTrace()
    assert rule.applies(crash)
    assert rule.act(crash) == {"java_stack_trace": public, "java_stack_trace_raw": raw}
    assert crash.notes == []


@pytest.mark.parametrize(
    "raw",
    [
        "Exc: m\n\tat a\nat without.a.tab",
        "Exc: m\n\tat a\ns3cret",
        "s3cret",
        "the user typed s3cret",
        " \n ",
        "s3cret: s3cret",
    ],
)
def test_what_is_no_stack_trace_is_malformed(make_crash: MakeCrash, raw: str) -> None:
    crash = make_crash(JavaStackTrace=raw)
    assert JavaStackTrace().act(crash) == {
        "java_stack_trace": "malformed",
        "java_stack_trace_raw": raw,
    }
    assert crash.notes == ["JavaStackTrace: malformed JavaStackTrace"]


def test_a_stack_trace_that_is_no_text_is_kept_as_json(make_crash: MakeCrash) -> None:
    crash = make_crash(JavaStackTrace={"a": [SECRET]})
    assert JavaStackTrace().act(crash) == {
        "java_stack_trace": "malformed",
        "java_stack_trace_raw": '{"a":["s3cret"]}',
    }


@pytest.mark.parametrize("rule", [JavaStackTrace(), Breadcrumbs()])
def test_reports_without_java_have_nothing_of_it(
    make_crash: MakeCrash, rule: JavaStackTrace | Breadcrumbs
) -> None:
    assert not rule.applies(make_crash())
    assert not rule.applies(make_crash(JavaStackTrace="", Breadcrumbs=""))


@given(st.text("abcE: \t\nat.", max_size=60), st.text("xyz", min_size=8))
def test_a_message_is_never_public(around: str, marker: str) -> None:
    trace = f"a.b.Exc: {marker}\n{around}\n{marker}\n\tat a\nCaused by: {marker}\n\tat b"
    crash = Crash(CRASH_ID, {"JavaStackTrace": trace}, {}, None)  # type: ignore[arg-type]
    assert marker not in JavaStackTrace().act(crash)["java_stack_trace"]


@pytest.mark.parametrize(
    "sent",
    [
        json.dumps([CRUMB]),
        json.dumps({"values": [CRUMB]}),
        [CRUMB],
        {"values": [CRUMB]},
    ],
)
def test_breadcrumbs_are_taken_in_every_form(make_crash: MakeCrash, sent: Any) -> None:
    crash = make_crash(Breadcrumbs=sent)
    assert Breadcrumbs().act(crash) == {"breadcrumbs": [CRUMB]}
    assert crash.notes == []


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("{s3cret", "not valid json"),
        ('[{"message": NaN}]', "not valid json"),
        ("[" * 50_000, "not valid json"),
        ("{}", "not as the schema says"),
        ('"s3cret"', "not as the schema says"),
        ('["s3cret"]', "not as the schema says"),
        ('[{"message": ["s3cret"]}]', "not as the schema says"),
        ('[{"timestamp": 5}]', "not as the schema says"),
        ('[{"data": "s3cret"}]', "not as the schema says"),
        ('{"values": {"s3cret": 1}}', "not as the schema says"),
        (5, "not as the schema says"),
    ],
)
def test_breadcrumbs_that_are_none_are_noted_without_their_values(
    make_crash: MakeCrash, sent: Any, why: str
) -> None:
    crash = make_crash(Breadcrumbs=sent)
    assert Breadcrumbs().act(crash) == {}
    assert crash.notes == [f"Breadcrumbs: malformed: {why}"]


def test_empty_breadcrumbs_and_unknown_keys_are_kept(make_crash: MakeCrash) -> None:
    assert Breadcrumbs().act(make_crash(Breadcrumbs="[]")) == {"breadcrumbs": []}
    more = [{"event_id": 7}]
    assert Breadcrumbs().act(make_crash(Breadcrumbs=json.dumps(more))) == {"breadcrumbs": more}
