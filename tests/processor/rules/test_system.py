# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Operating system and processor."""

import pytest

from processor.rules.system import CpuInfo, OsInfo, OsPrettyVersion
from tests.processor.conftest import MakeCrash


def test_the_minidump_says_what_the_machine_is(make_crash: MakeCrash) -> None:
    system = {"cpu_arch": "amd64", "cpu_info": "family 6", "cpu_count": 8, "os": "Linux",
              "os_ver": "6.1.0", "cpu_microcode_version": "0xf0"}  # fmt: skip
    crash = make_crash({"json_dump": {"system_info": system}}, CPUInfo="other", OS="other")
    assert CpuInfo().act(crash) == {
        "cpu_arch": "amd64",
        "cpu_info": "family 6",
        "cpu_count": 8,
        "cpu_microcode_version": "0xf0",
    }
    assert OsInfo().act(crash) == {"os_name": "Linux", "os_version": "6.1.0"}


def test_what_the_minidump_does_not_say_is_unknown(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": {"system_info": {"os": None, "cpu_count": None}}})
    assert CpuInfo().act(crash) == {"cpu_arch": "unknown", "cpu_info": "unknown", "cpu_count": 0}
    assert OsInfo().act(crash) == {"os_name": "Unknown", "os_version": ""}


def test_a_description_that_is_null_in_the_minidump_stays_null(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": {"system_info": {"cpu_info": None, "cpu_arch": None}}})
    assert CpuInfo().act(crash) == {"cpu_arch": "unknown", "cpu_info": None, "cpu_count": 0}


@pytest.mark.parametrize(
    ("name", "version", "pretty"),
    [
        ("Windows NT", "10.0.22631", "Windows 11"),
        ("Windows NT", "10.0.21996", "Windows 11"),
        ("Windows NT", "10.0.19045 1234", "Windows 10"),
        ("Windows NT", "10.0.9841", "Windows 10"),
        ("Windows NT", "6.1.7601 Service Pack 1", "Windows 7"),
        ("Windows NT", "5.1.2600", "Windows XP"),
        ("Windows NT", "7.7", "Windows Unknown"),
        ("Windows NT", "garbage", "Windows NT"),
        ("Mac OS X", "14.1.0 23B74", "macOS 14"),
        ("Mac OS X", "10.15.7", "OS X 10.15"),
        ("Mac OS X", "9.2", "OS X Unknown"),
        ("Linux", "6.1.0", "Linux"),
        ("Android", "34", "Android 34"),
        ("Unknown", "", "Unknown"),
    ],
)
def test_releases_are_called_what_people_call_them(
    make_crash: MakeCrash, name: str, version: str, pretty: str
) -> None:
    crash = make_crash({"os_name": name, "os_version": version})
    assert OsPrettyVersion().act(crash) == {"os_pretty_version": pretty}


def test_linux_is_called_by_its_distribution(make_crash: MakeCrash) -> None:
    dump = {"lsb_release": {"description": "Debian GNU/Linux 12"}}
    crash = make_crash({"os_name": "Linux", "json_dump": dump})
    assert OsPrettyVersion().act(crash) == {"os_pretty_version": "Debian GNU/Linux 12"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("0xf0", "0xf0"), (240, "0xf0"), (None, None), ("", None), (True, None), ([1], None)],
)
def test_microcode_is_a_text_or_not_there(
    make_crash: MakeCrash, sent: object, expected: str | None
) -> None:
    crash = make_crash({"json_dump": {"system_info": {"cpu_microcode_version": sent}}})
    assert CpuInfo().act(crash).get("cpu_microcode_version") == expected


@pytest.mark.parametrize(
    ("release", "annotation", "pretty"),
    [
        ({"description": "Debian GNU/Linux 12"}, "other", "Debian GNU/Linux 12"),
        ({"description": ""}, "Fedora 40", "Fedora 40"),
        ({"description": None}, "Fedora 40", "Fedora 40"),
        ({}, "Fedora 40", "Fedora 40"),
        (None, None, "Linux"),
        ({"description": 5}, None, "Linux"),
    ],
)
def test_a_linux_is_called_by_its_distribution(
    make_crash: MakeCrash, release: object, annotation: str | None, pretty: str
) -> None:
    processed = {"json_dump": {"lsb_release": release}, "os_name": "Linux", "os_version": "6.1"}
    given = {} if annotation is None else {"LinuxLSBDescription": annotation}
    assert OsPrettyVersion().act(make_crash(processed, **given)) == {"os_pretty_version": pretty}
