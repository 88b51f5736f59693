# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Boot arguments and crash info of macOS."""

import json
from typing import Any

import pytest

from processor.rules.mac import MacBootArgs, MacCrashInfo
from tests.processor.conftest import MakeCrash


def test_boot_arguments_are_kept_without_blanks_around(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": {"mac_boot_args": " -no_compat_check amfi=1 \n"}})
    assert MacBootArgs().applies(crash)
    assert MacBootArgs().act(crash) == {
        "mac_boot_args": "-no_compat_check amfi=1",
        "has_mac_boot_args": True,
    }


def test_blanks_are_no_boot_arguments(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": {"mac_boot_args": "  "}})
    assert MacBootArgs().act(crash) == {}
    assert crash.notes == []


def test_boot_arguments_that_are_no_text_are_noted(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": {"mac_boot_args": ["-v"]}})
    assert MacBootArgs().act(crash) == {}
    assert crash.notes == ["mac_boot_args is not a text"]


@pytest.mark.parametrize("dump", [{}, {"mac_boot_args": None}, {"mac_boot_args": ""}])
def test_most_minidumps_have_no_boot_arguments(make_crash: MakeCrash, dump: dict[str, Any]) -> None:
    assert not MacBootArgs().applies(make_crash({"json_dump": dump}))


def test_crash_info_becomes_a_text_of_json_with_sorted_keys(make_crash: MakeCrash) -> None:
    info = {"records": [{"module": "libsystem", "message": "abort"}], "num_records": 1}
    crash = make_crash({"json_dump": {"mac_crash_info": info}})
    assert MacCrashInfo().applies(crash)
    text = MacCrashInfo().act(crash)["mac_crash_info"]
    assert json.loads(text) == info
    assert text.index("num_records") < text.index("records", text.index("num_records") + 12)
    assert text.index("message") < text.index("module")


@pytest.mark.parametrize(
    "info", [None, {}, [], "text", {"num_records": 0, "records": []}, {"num_records": "1"}]
)
def test_without_records_there_is_no_crash_info(make_crash: MakeCrash, info: Any) -> None:
    assert not MacCrashInfo().applies(make_crash({"json_dump": {"mac_crash_info": info}}))
