# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Annotations become fields of their types; bad values leave a note that does not hold them."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.fields import ANNOTATIONS, FIELDS, copy_annotations

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "true", "1e400", "9" * 5000, "nan", "Infinity", "{", "[]", "\ud800"])
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


@pytest.mark.parametrize(
    ("annotation", "value", "field", "expected"),
    [
        ("ProductName", "DemoApp", "product", "DemoApp"),
        ("ProductName", "DemoApp \n", "product", "DemoApp"),
        ("Version", 7, "version", "7"),
        ("Version", 1.5, "version", "1.5"),
        ("Hang", True, "hang", "1"),
        ("AsyncShutdownTimeout", {"phase": "x"}, "async_shutdown_timeout", '{"phase":"x"}'),
        ("SafeMode", "1", "safe_mode", True),
        ("SafeMode", "TRUE", "safe_mode", True),
        ("SafeMode", 0, "safe_mode", False),
        ("SafeMode", False, "safe_mode", False),
        ("InstallTime", "1700000000", "install_time", 1700000000),
        ("InstallTime", " -5 ", "install_time", -5),
        ("InstallTime", 12, "install_time", 12),
        ("InstallTime", 12.0, "install_time", 12),
        ("InstallTime", str(2**63 - 1), "install_time", 2**63 - 1),
        ("TotalVirtualMemory", str(2**64 - 1), "total_virtual_memory", 2**64 - 1),
        ("InstallTime", str(-(2**63)), "install_time", -(2**63)),
        ("InstallTime", "1_000", "install_time", 1000),
        ("InstallTime", True, "install_time", 1),
        ("InstallTime", 1.5, "install_time", 1),
        ("UptimeTS", True, "uptime_ts", 1.0),
        ("InstallTime", "٣", "install_time", 3),
        ("UptimeTS", " 1_0.5 ", "uptime_ts", 10.5),
        ("UptimeTS", "1.5", "uptime_ts", 1.5),
        ("UptimeTS", "1e3", "uptime_ts", 1000.0),
        ("UptimeTS", 3, "uptime_ts", 3.0),
        ("TelemetryEnvironment", '{"build": {"vendor": "M"}}', "telemetry_environment",
         {"build": {"vendor": "M"}}),
        ("TelemetryEnvironment", {"new": 1}, "telemetry_environment", {"new": 1}),
        ("TelemetryEnvironment", '{"a": "\\ud800"}', "telemetry_environment", {"a": "\ud800"}),
    ],
)  # fmt: skip
def test_a_value_is_converted_to_the_type_of_its_field(
    annotation: str, value: Any, field: str, expected: Any
) -> None:
    copied, notes = copy_annotations({annotation: value})
    assert copied[field] == expected
    assert type(copied[field]) is type(expected)
    assert notes == []


@pytest.mark.parametrize(
    ("annotation", "value", "note"),
    [
        ("SafeMode", "secret", "SafeMode has non-boolean value"),
        ("SafeMode", 2, "SafeMode has non-boolean value"),
        ("SafeMode", ["secret"], "SafeMode has non-boolean value"),
        ("InstallTime", "secret", "InstallTime has a non-int value"),
        ("InstallTime", "", "InstallTime has a non-int value"),
        ("InstallTime", "1.0", "InstallTime has a non-int value"),
        ("InstallTime", "0x10", "InstallTime has a non-int value"),
        ("InstallTime", str(2**64), "InstallTime has a non-int value"),
        ("InstallTime", str(-(2**63) - 1), "InstallTime has a non-int value"),
        ("SafeMode", " 1", "SafeMode has non-boolean value"),
        ("SafeMode", "", "SafeMode has non-boolean value"),
        ("UptimeTS", "", "UptimeTS has a non-float value"),
        ("InstallTime", "9" * 5000, "InstallTime has a non-int value"),
        ("InstallTime", 2**64, "InstallTime has a non-int value"),
        ("InstallTime", [1], "InstallTime has a non-int value"),
        ("InstallTime", math.nan, "InstallTime has a non-int value"),
        ("InstallTime", 1e300, "InstallTime has a non-int value"),
        ("UptimeTS", {}, "UptimeTS has a non-float value"),
        ("UptimeTS", "nan", "UptimeTS has a non-float value"),
        ("UptimeTS", "1e999", "UptimeTS has a non-float value"),
        ("UptimeTS", "inf", "UptimeTS has a non-float value"),
        ("UptimeTS", 10**400, "UptimeTS has a non-float value"),
        ("JavaException", "{secret", "JavaException value is malformed json"),
        ("JavaException", '{"a": NaN}', "JavaException value is malformed json"),
        ("JavaException", "[" * 100_000, "JavaException value is malformed json"),
        ("JavaException", "[]", "JavaException value is malformed java_exception"),
        (
            "JavaException",
            {"exception": {"values": "secret"}},
            "JavaException value is malformed java_exception",
        ),
        (
            "TelemetryEnvironment",
            5,
            "TelemetryEnvironment value is malformed telemetry_environment",
        ),
        (
            "TelemetryEnvironment",
            {"settings": {"e10sEnabled": None, "locale": "secret"}},
            "TelemetryEnvironment value is malformed telemetry_environment",
        ),
        ("TelemetryEnvironment", "", "TelemetryEnvironment value is malformed json"),
    ],
)
def test_a_bad_value_leaves_a_note_without_the_value(
    annotation: str, value: Any, note: str
) -> None:
    copied, notes = copy_annotations({annotation: value, "ProductName": "DemoApp"})
    assert notes == [note]
    assert copied["product"] == "DemoApp"
    assert not any(field.annotation == annotation for field in map(FIELDS.get, copied) if field)


def test_a_missing_or_null_annotation_gives_the_default_or_nothing() -> None:
    nothing = {"marionette": False, "remote_agent": False}
    assert copy_annotations({}) == (nothing, [])
    assert copy_annotations({"ReleaseChannel": None, "Marionette": None}) == (nothing, [])
    assert copy_annotations({"Marionette": "1"})[0]["marionette"] is True


@given(st.dictionaries(st.sampled_from(sorted(ANNOTATIONS)) | st.text(), json_values))
def test_whatever_comes_the_fields_have_their_types(raw_crash: dict[str, Any]) -> None:
    copied, notes = copy_annotations(raw_crash)
    for name, value in copied.items():
        assert FIELDS[name].shape.fits(value)
        assert value is not None
        assert not isinstance(value, float) or math.isfinite(value)
    assert all(note.split(" ")[0] in ANNOTATIONS for note in notes)


@given(st.sampled_from(sorted(ANNOTATIONS)), st.text("abcXYZ:/ ", min_size=8))
def test_notes_never_hold_a_value(annotation: str, text: str) -> None:
    value = f"secret{text}"
    assert "secret" not in json.dumps(copy_annotations({annotation: value})[1])
