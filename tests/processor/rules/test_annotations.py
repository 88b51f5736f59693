# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fields computed from annotations alone."""

import pytest

from processor.rules.annotations import CopyAnnotations, EsrVersion, MajorVersion, ProcessType
from tests.processor.conftest import MakeCrash


def test_annotations_become_typed_fields(make_crash: MakeCrash) -> None:
    fields = CopyAnnotations().act(
        make_crash(ProductName="DemoApp", Version="1.2.3", InstallTime="5", StartupCrash="1")
    )
    assert fields["product"] == "DemoApp"
    assert fields["version"] == "1.2.3"
    assert fields["install_time"] == 5
    assert fields["startup_crash"] is True


def test_esr_stands_in_the_version_once(make_crash: MakeCrash) -> None:
    crash = make_crash({"release_channel": "esr", "version": "128.3.0"})
    assert EsrVersion().applies(crash)
    assert EsrVersion().act(crash) == {"version": "128.3.0esr"}
    again = make_crash({"release_channel": "esr", "version": "128.3.0esr"})
    assert EsrVersion().act(again) == {"version": "128.3.0esr"}
    assert not EsrVersion().applies(make_crash({"release_channel": "release"}))


@pytest.mark.parametrize(
    ("version", "major"),
    [
        ("128.3.0", 128),
        ("7", 7),
        ("", 0),
        ("x.1", 0),
        ("٣.1", 0),
        ("9" * 30 + ".1", 0),
        (130.5, 130),
    ],
)
def test_the_major_version_is_a_number(make_crash: MakeCrash, version: object, major: int) -> None:
    assert MajorVersion().act(make_crash(Version=version)) == {"major_version": major}


@pytest.mark.parametrize(
    ("kind", "expected"), [(None, "parent"), ("main", "parent"), ("gpu", "gpu"), ("", "parent")]
)
def test_the_main_process_is_called_parent(
    make_crash: MakeCrash, kind: str | None, expected: str
) -> None:
    crash = make_crash(ProcessType=kind) if kind is not None else make_crash()
    assert ProcessType().act(crash) == {"process_type": expected}
