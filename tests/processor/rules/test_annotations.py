# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fields that are copied from annotations; tests/socorro/fields has the conversions."""

from processor.rules.annotations import CopyAnnotations
from tests.processor.conftest import MakeCrash


def test_annotations_become_typed_fields(make_crash: MakeCrash) -> None:
    fields = CopyAnnotations().act(
        make_crash(ProductName="DemoApp", Version="1.2.3", InstallTime="5", StartupCrash="1")
    )
    assert fields["product"] == "DemoApp"
    assert fields["version"] == "1.2.3"
    assert fields["install_time"] == 5
    assert fields["startup_crash"] is True


def test_what_cannot_be_converted_is_noted_without_its_value(make_crash: MakeCrash) -> None:
    crash = make_crash(StartupCrash="private", InstallTime="private", TelemetryEnvironment="{")
    fields = CopyAnnotations().act(crash)
    assert not {"startup_crash", "install_time", "telemetry_environment"} & fields.keys()
    assert sorted(crash.notes) == [
        "InstallTime has a non-int value",
        "StartupCrash has non-boolean value",
        "TelemetryEnvironment value is malformed json",
    ]


def test_one_value_of_a_wrong_kind_costs_no_other_field(make_crash: MakeCrash) -> None:
    crash = make_crash(
        AbortMessage=7,
        JavaException=[1],
        TelemetryEnvironment={"build": 5},
        XPCOMSpinEventLoopStack="x",
    )
    fields = CopyAnnotations().act(crash)
    assert fields["abort_message"] == "7"
    assert fields["xpcom_spin_event_loop_stack"] == "x"
    assert "java_exception" not in fields


def test_fields_with_a_default_are_always_there(make_crash: MakeCrash) -> None:
    assert CopyAnnotations().act(make_crash()) == {"marionette": False, "remote_agent": False}
