# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the public and the telemetry export get of a crash."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from socorro.fields import (
    ANNOTATIONS,
    FIELDS,
    Shape,
    public_processed_crash,
    public_raw_crash,
    telemetry_document,
)

SECRET = "secret-marker-of-a-protected-value"
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


def values(shape: Shape, protected: bool, rest: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a shape: protected and unknown parts hold the marker, public ones do not."""
    if protected or shape.protected:
        return st.just(SECRET) | st.just({"a": [SECRET]}) | st.just([{"b": SECRET}])
    if shape.item is not None:
        return st.lists(values(shape.item, False, rest), max_size=2) | st.none()
    if "object" in shape.types:
        known = {name: values(part, False, rest) for name, part in shape.parts.items()}
        objects = st.fixed_dictionaries({}, optional=known)
        if shape.others is not None:
            free = st.dictionaries(st.text(max_size=5), values(shape.others, False, rest))
            return objects | free | st.none()
        # Unknown keys are as secret as protected ones.
        return objects | objects.map(lambda known: {**known, "unknown": SECRET}) | st.none()
    return rest | st.just({"hidden in an object": SECRET}) | st.just([SECRET])


crashes = st.fixed_dictionaries(
    {},
    optional={
        name: values(field.shape, field.protected, st.text("xyz", max_size=3) | st.integers())
        for name, field in FIELDS.items()
    },
).map(lambda crash: {**crash, "field_that_nobody_registered": SECRET})


@given(crashes)
def test_nothing_protected_or_unknown_is_in_the_public_view(crash: dict[str, Any]) -> None:
    assert SECRET not in json.dumps(public_processed_crash(crash))


@given(crashes)
def test_nothing_protected_or_unknown_is_exported(crash: dict[str, Any]) -> None:
    assert SECRET not in json.dumps(telemetry_document(crash))


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(), json_values))
def test_a_crash_of_any_form_has_views(crash: dict[str, Any]) -> None:
    assert public_processed_crash(crash).keys() <= FIELDS.keys()
    telemetry_document(crash)


@given(crashes)
def test_a_view_leaves_the_crash_as_it_is_and_shares_nothing_with_it(crash: dict[str, Any]) -> None:
    before = json.dumps(crash)
    view = public_processed_crash(crash)
    scribble(view)
    assert json.dumps(crash) == before


def scribble(value: Any) -> None:
    """Change every container within a value."""
    inner = list(value.values()) if isinstance(value, dict) else value
    if isinstance(value, dict):
        value.clear()
    if isinstance(inner, list):
        for part in list(inner):
            scribble(part)
        inner.append("scribble")


def test_frames_keep_everything_but_registers_and_what_is_unknown() -> None:
    frame = {
        "frame": 0,
        "function": "main",
        "file": "a.cc",
        "line": 3,
        "inlines": [{"function": "f", "file": "b.h", "line": 1, "depth": 9}],
        "unloaded_modules": [{"module": "gone.dll", "offsets": ["0x1"]}],
        "truncated": {"msg": "9 frames truncated"},
        "registers": {"rip": "0x1"},
        "stack_memory": "00",
    }
    crash = {"json_dump": {"threads": [{"frames": [frame], "thread_name": "T", "thread_id": 7}]}}
    (thread,) = public_processed_crash(crash)["json_dump"]["threads"]
    assert thread == {
        "thread_name": "T",
        "frames": [
            {
                "frame": 0,
                "function": "main",
                "file": "a.cc",
                "line": 3,
                "inlines": [{"function": "f", "file": "b.h", "line": 1}],
                "unloaded_modules": [{"module": "gone.dll", "offsets": ["0x1"]}],
                "truncated": {"msg": "9 frames truncated"},
            }
        ],
    }


def test_protected_parts_are_left_out_among_plain_values() -> None:
    crash = {
        "json_dump": {
            "pid": 1,
            "mac_boot_args": SECRET,
            "threads": [{"frames": [{"line": 1, "registers": SECRET}]}],
            "crash_info": {"memory_accesses": [{"size": 8, "is_likely_guard_page": True}]},
        },
        "upload_file_minidump_browser": {"success": True, "mdsw_stderr": SECRET},
        "url": SECRET,
    }
    assert public_processed_crash(crash) == {
        "json_dump": {
            "pid": 1,
            "threads": [{"frames": [{"line": 1}]}],
            "crash_info": {"memory_accesses": [{"size": 8}]},
        },
        "upload_file_minidump_browser": {"success": True},
    }


def test_free_keys_of_the_environment_are_public() -> None:
    environment = {
        "settings": {"userPrefs": {"a.b": True, "c": {"nested": 1}}, "new": 1},
        "experiments": {"x": {"branch": "b", "secret": 1}},
    }
    view = public_processed_crash({"telemetry_environment": environment})
    assert view["telemetry_environment"] == {
        "settings": {"userPrefs": {"a.b": True}},
        "experiments": {"x": {"branch": "b"}},
    }


def test_null_objects_stay_null() -> None:
    assert public_processed_crash({"json_dump": None, "memory_measures": None}) == {
        "json_dump": None,
        "memory_measures": None,
    }


def test_unknown_and_protected_annotations_are_not_public() -> None:
    raw = {"ProductName": "DemoApp", "URL": SECRET, "metadata": {"x": SECRET}, "Made-Up": SECRET}
    assert public_raw_crash(raw) == {"ProductName": "DemoApp"}
    assert public_raw_crash(dict.fromkeys(ANNOTATIONS, "x")).keys() == {
        name for name, annotation in ANNOTATIONS.items() if not annotation.protected
    }


def test_the_export_renames_and_converts() -> None:
    crash = {
        "uuid": "id",
        "build": "20260101000000",
        "os_name": "Linux",
        "date_processed": "2026-11-22T00:00:00+00:00",
        "accessibility": True,
        "startup_crash": False,
        "oom_allocation_size": 17,
        "safe_mode": None,
        "uptime": 5,
        "addons": ["a:1", 3],
        "addons_checked": "yes",
        "signature": {"not": "a text"},
        "memory_measures": {"explicit": 1, "images": None, "vsize": "big"},
    }
    assert telemetry_document(crash) == {
        "uuid": "id",
        "build_id": "20260101000000",
        "platform": "Linux",
        "date": "2026-11-22T00:00:00+00:00",
        "accessibility": "1",
        "startup_crash": "0",
        "oom_allocation_size": "17",
        "safe_mode": None,
        "uptime": 5,
        "addons": ["a:1"],
        "memory_measures": {"explicit": 1, "images": None},
    }


def test_the_export_has_the_chosen_parts_of_the_stack_walk_alone() -> None:
    json_dump = {
        "pid": 1,
        "crash_info": {"address": "0x0", "instruction": "ret", "type": None},
        "lsb_release": {"id": "debian"},
        "threads": [
            {"thread_name": "T", "frame_count": 1, "frames": [{"frame": 0, "trust": "cfi"}]}
        ],
        "modules": [{"filename": "a.so", "cert_subject": "X", "version": None, "code_id": None}],
    }
    assert telemetry_document({"json_dump": json_dump})["json_dump"] == {
        "pid": 1,
        "crash_info": {"address": "0x0", "type": None},
        "threads": [{"frame_count": 1, "frames": [{"frame": 0}]}],
        "modules": [{"filename": "a.so", "version": None}],
    }
