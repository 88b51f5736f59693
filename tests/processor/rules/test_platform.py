# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What it ran on, by the annotations."""

from typing import Any

import pytest

from processor.rules.platform import AndroidCpuInfo, AndroidOsInfo, PlatformInfo
from tests.processor.conftest import MakeCrash

UNKNOWN = {"cpu_arch": "unknown", "cpu_info": "unknown", "os_name": "Unknown", "os_version": ""}


@pytest.mark.parametrize(
    ("abi", "architecture"),
    [
        ("armeabi-v7a", "arm"),
        ("arm64-v8a", "arm64"),
        ("x86_64", "amd64"),
        ("x86", "x86"),
        ("riscv64", "riscv64"),
    ],
)
def test_android_says_its_architecture_where_no_minidump_does(
    make_crash: MakeCrash, abi: str, architecture: str
) -> None:
    crash = make_crash({"cpu_arch": "unknown"}, Android_CPU_ABI=abi)
    assert AndroidCpuInfo().applies(crash)
    assert AndroidCpuInfo().act(crash) == {"cpu_arch": architecture}


@pytest.mark.parametrize(
    ("arch", "abi"), [("arm", "arm64-v8a"), ("unknown", ""), ("unknown", None), ("unknown", [])]
)
def test_a_known_architecture_stays(make_crash: MakeCrash, arch: str, abi: object) -> None:
    assert not AndroidCpuInfo().applies(make_crash({"cpu_arch": arch}, Android_CPU_ABI=abi))


@pytest.mark.parametrize(
    ("name", "said", "version"),
    [
        ("Unknown", "33 (REL)", "33"),
        ("Android", "33", "33"),
        ("android", "33 (REL)", "33"),
        ("Unknown", "REL", None),
        ("Unknown", "", None),
        ("Unknown", "13.0 (33)", None),
        ("Unknown", "٣", None),
    ],
)
def test_android_says_its_api_level(
    make_crash: MakeCrash, name: str, said: str, version: str | None
) -> None:
    crash = make_crash({"os_name": name, "os_version": "0.0.0 Linux"}, Android_Version=said)
    assert AndroidOsInfo().applies(crash)
    expected = {"os_name": "Android"} | ({"os_version": version} if version else {})
    assert AndroidOsInfo().act(crash) == expected


@pytest.mark.parametrize(("name", "said"), [("Linux", "33"), ("Unknown", None), ("Unknown", [])])
def test_another_system_is_not_android(make_crash: MakeCrash, name: str, said: object) -> None:
    assert not AndroidOsInfo().applies(make_crash({"os_name": name}, Android_Version=said))


def test_a_report_without_minidump_says_what_it_ran_on(make_crash: MakeCrash) -> None:
    said = {"CPUArchitecture": "arm64", "CPUInfo": "8 cores ", "OS": "Linux", "OSVersion": "6.1"}
    crash = make_crash(dict(UNKNOWN), **said)
    assert PlatformInfo().applies(crash)
    assert PlatformInfo().act(crash) == {
        "cpu_arch": "arm64",
        "cpu_info": "8 cores",
        "os_name": "Linux",
        "os_version": "6.1",
    }


def test_each_gap_is_filled_by_itself(make_crash: MakeCrash) -> None:
    crash = make_crash(
        {"cpu_arch": "amd64", "cpu_info": None, "os_name": "Linux", "os_version": ""},
        CPUArchitecture="arm64",
        CPUInfo="family 6",
        OSVersion=["6.1"],
    )
    assert PlatformInfo().act(crash) == {"cpu_info": "family 6"}


@pytest.mark.parametrize("annotations", [{}, {"OS": " ", "CPUInfo": {}, "OSVersion": ""}])
def test_what_nobody_says_stays_unknown(make_crash: MakeCrash, annotations: dict[str, Any]) -> None:
    assert PlatformInfo().act(make_crash(dict(UNKNOWN), **annotations)) == {}


def test_a_minidump_that_says_all_is_not_added_to(make_crash: MakeCrash) -> None:
    known = {"cpu_arch": "arm", "cpu_info": "v8", "os_name": "Linux", "os_version": "6"}
    assert not PlatformInfo().applies(make_crash(known, OS="Windows NT"))
