# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A crash of whatever shape never breaks its page."""

import copy
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.crashes import Crashes, walk
from webapp.crashstats import handles
from webapp.crashstats.report import report_of
from webapp.crashstats.templatetags.stacks import stack_rows

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = (
    "address",
    "client_crash_date",
    "cpu_count",
    "crashing_thread",
    "date_processed",
    "install_age",
    "json_dump",
    "mdsw_status_string",
    "os_name",
    "processor_notes",
    "product",
    "reason",
    "signature",
    "uptime",
    "user_comments",
    "version",
)
ID = "0b5f9a3c-1111-4222-8333-012340261122"


def everything_is_text(crash: dict[str, Any], raw: dict[str, Any]) -> None:
    report = report_of(ID, crash, raw)
    for thread in report.threads:
        stack_rows(thread.frames).encode()
    for fact in report.facts:
        fact.value.encode()
    for name, value in report.annotations:
        (name + value).encode()


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.dictionaries(st.text(), JSON))
def test_fields_of_any_type_make_a_report(crash: dict[str, Any], raw: dict[str, Any]) -> None:
    everything_is_text(crash, raw)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything within a JSON value."""
    found = [path] if path else []
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, part in items:
        found += places(part, (*path, key))
    return found


WALK = walk("inlined")
PLACES = places(WALK)


@given(st.sampled_from(PLACES), JSON)
def test_a_stack_walk_with_anything_in_any_place_makes_a_report(
    place: tuple[Any, ...], value: Any
) -> None:
    dump = copy.deepcopy(WALK)
    parent: Any = dump
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    everything_is_text({"json_dump": dump, "crashing_thread": 0}, {})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_stored_crash_that_is_no_json_object_is_said_to_be_damaged(
    client: Client, crashes: Crashes, body: bytes
) -> None:
    crash_id = crashes.processed()
    (path,) = (handles.raw_storage().spool.parent / "v1" / "processed_crash").glob("*/*/*")
    path.write_bytes(body)
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 200
    assert b"is damaged" in response.content
    assert client.get(f"/api/ProcessedCrash/?crash_id={crash_id}").status_code == 404


def test_texts_that_no_encoding_can_carry_are_shown_with_a_replacement(
    client: Client, crashes: Crashes
) -> None:
    annotations = {"ReleaseChannel": "lone \ud800 surrogate", "Version": "nul \0 here"}
    crash_id = crashes.processed(annotations=annotations, signature="f\udfff\0", build=10**4000)
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 200
    assert "lone ? surrogate" in response.content.decode()
    assert b"\0" not in response.content


def test_a_very_long_value_is_cut(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed(annotations={"ReleaseChannel": "x" * 3_000_000})
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 200
    assert len(response.content) < 200_000


def test_a_page_has_room_for_only_so_many_frames(client: Client, crashes: Crashes) -> None:
    dump = walk("threads")
    frames = [{"frame": number, "function": "recurse"} for number in range(500)]
    dump["threads"] += [{"frames": frames, "frame_count": 500}] * 100
    response = client.get(f"/report/index/{crashes.processed(json_dump=dump)}")
    html = response.content.decode()
    assert html.count(">recurse<") < 20_001
    assert "room for no more frames" in html
    assert "StoreResult" in html
