# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Search documents: values of the right types and sizes, whatever a crash holds."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.fields import FIELDS, SEARCH_FIELDS, search_document
from socorro.fields.searching import MAX_EXACT_BYTES, MAX_KEYWORD_CHARACTERS

CLASSES: dict[str, tuple[type, ...]] = {
    "keyword": (str,),
    "text": (str,),
    "semicolon": (str,),
    "date": (str,),
    "long": (int,),
    "integer": (int,),
    "short": (int,),
    "double": (float,),
    "boolean": (bool,),
}
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "9" * 5000, "nan", "\ud800", "2026-11-22", "x" * 40_000, "😀" * 9000])
    | st.datetimes()
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)),
        json_values | st.fixed_dictionaries({"system_info": json_values, "explicit": json_values}),
    )
)
def test_whatever_a_crash_holds_its_document_is_sound(crash: dict[str, Any]) -> None:
    document = search_document(crash)
    json.dumps(document, allow_nan=False).encode()
    for name, value in document.items():
        search = SEARCH_FIELDS[name]
        items = value if isinstance(value, list) and search.many else [value]
        assert items
        for item in items:
            assert type(item) in CLASSES[search.storage]
            if search.storage in ("keyword", "text"):
                assert len(item.encode()) <= MAX_EXACT_BYTES


@pytest.mark.parametrize(
    ("field", "value", "name", "expected"),
    [
        ("build", "20260102030405", "build_id", 20260102030405),
        ("build", "20260102-nightly", "build_id", None),
        ("os_name", "Linux", "platform", "Linux"),
        ("uptime", 2**63 - 1, "uptime", 2**63 - 1),
        ("uptime", 2**63, "uptime", None),
        ("uptime", -(2**63), "uptime", -(2**63)),
        ("uptime", True, "uptime", None),
        ("uptime", 5.0, "uptime", 5),
        ("uptime", [1], "uptime", None),
        ("crashing_thread", 2**31 - 1, "crashing_thread", 2**31 - 1),
        ("crashing_thread", 2**31, "crashing_thread", None),
        ("content_sandbox_level", 2**15, "content_sandbox_level", None),
        ("uptime_ts", 1, "uptime_ts", 1.0),
        ("uptime_ts", float("nan"), "uptime_ts", None),
        ("uptime_ts", float("inf"), "uptime_ts", None),
        ("uptime_ts", 10**400, "uptime_ts", None),
        ("safe_mode", "true", "safe_mode", True),
        ("safe_mode", "0", "safe_mode", False),
        ("safe_mode", "maybe", "safe_mode", None),
        ("startup_crash", None, "startup_crash", False),
        ("safe_mode", None, "safe_mode", None),
        ("version", 7, "version", "7"),
        ("version", ["7"], "version", None),
        ("version", {"a": 1}, "version", None),
        ("version", "x" * 20_000, "version", "x" * MAX_KEYWORD_CHARACTERS),
        ("version", "😀" * 10_000, "version", "😀" * (MAX_EXACT_BYTES // 4)),
        ("version", "a\ud800", "version", "a?"),
        ("signature", "x" * 40_000, "signature", "x" * MAX_EXACT_BYTES),
        ("addons", ["a:1", 2, {"b": 1}, None], "addons", ["a:1", "2"]),
        ("addons", [], "addons", None),
        ("date_processed", "2026-11-22T10:00:00Z", "date", "2026-11-22T10:00:00+00:00"),
        ("date_processed", "2026-11-22T10:00:00.5+02", "date", "2026-11-22T08:00:00.500000+00:00"),
        ("date_processed", "2026-11-22", "date", "2026-11-22T00:00:00+00:00"),
        ("date_processed", "yesterday", "date", None),
        ("date_processed", "0001-01-01T00:00:00+14:00", "date", None),
        ("date_processed", 5, "date", None),
        ("missing_symbols", "a/1/B;" * 100_000, "missing_symbols", ";".join(["a/1/B"] * 43690)),
        ("collector_metadata", {"collector_notes": ["a", "b"]}, "collector_notes", ["a", "b"]),
        ("json_dump", {"system_info": {"cpu_count": 8}}, "cpu_count", 8),
        ("json_dump", {"system_info": "broken"}, "cpu_count", None),
        ("memory_measures", {"explicit": 12}, "memory_explicit", 12),
        ("memory_measures", None, "memory_explicit", None),
    ],
)  # fmt: skip
def test_a_value_is_made_to_fit_or_left_out(
    field: str, value: Any, name: str, expected: Any
) -> None:
    document = search_document({field: value})
    assert document.get(name) == expected
    assert type(document.get(name)) is type(expected)


def test_a_moment_is_indexed_in_utc() -> None:
    moment = datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=1)))
    assert search_document({"date_processed": moment})["date"] == "2026-11-22T09:00:00+00:00"
    naive = datetime(2026, 11, 22, 10, tzinfo=UTC).replace(tzinfo=None)
    assert search_document({"date_processed": naive})["date"] == "2026-11-22T10:00:00+00:00"


def test_what_is_not_registered_is_not_indexed() -> None:
    assert search_document({"made_up": "x", "json_dump": {"pid": 5}, "uuid": "u"}) == {"uuid": "u"}
