# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crashing thread, and stacks kept to a size."""

from typing import Any

import pytest

from processor.rules.threads import CrashingThread, ThreadCount, TopmostFile, TruncateStacks
from tests.processor.conftest import MakeCrash


def walk(**crash_info: Any) -> dict[str, Any]:
    threads = [
        {"thread_name": "main", "frames": [{"frame": 0}]},
        {
            "thread_name": "worker",
            "last_error_value": "ERROR_SUCCESS",
            "frames": [
                {"file": None, "inlines": None},
                {"file": "b.cc", "inlines": [{"file": "a.h"}]},
            ],
        },
    ]
    crashed = crash_info.get("crashing_thread")
    dump = {"crash_info": crash_info, "threads": threads}
    return dump if crashed is None else {**dump, "crashing_thread": threads[crashed]}


def test_the_crashing_thread_tells_reason_and_address(make_crash: MakeCrash) -> None:
    dump = walk(crashing_thread=1, type="SIGSEGV / SEGV_MAPERR", address="0x0000000000000020")
    assert CrashingThread().act(make_crash({"json_dump": dump})) == {
        "crashing_thread": 1,
        "crashing_thread_name": "worker",
        "reason": "SIGSEGV / SEGV_MAPERR",
        "address": "0x0000000000000020",
        "last_error_value": "ERROR_SUCCESS",
    }


def test_no_crashing_thread_is_noted(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": walk()})
    fields = CrashingThread().act(crash)
    assert fields["crashing_thread"] is None
    assert crash.notes == ["mdsw did not identify the crashing thread"]


@pytest.mark.parametrize(
    ("address", "adjusted", "expected"),
    [
        ("0x0000000000000020", {"kind": "null-pointer"}, "0x0000000000000000"),
        ("0x00000020", {"kind": "null-pointer"}, "0x00000000"),
        (
            "0xffff",
            {"kind": "non-canonical", "address": "0xe5e5e5e5e5e5e5e5"},
            "0xe5e5e5e5e5e5e5e5",
        ),
        ("0xffff", {"kind": "non-canonical"}, "0xffff"),
        ("0x45", None, "0x45"),
    ],
)
def test_the_address_is_the_one_the_program_used(
    make_crash: MakeCrash, address: str, adjusted: dict[str, str] | None, expected: str
) -> None:
    dump = walk(crashing_thread=0, address=address, adjusted_address=adjusted)
    assert CrashingThread().act(make_crash({"json_dump": dump}))["address"] == expected


@pytest.mark.parametrize("count", [501, 502, 3000])
def test_a_long_stack_keeps_both_ends_and_an_exact_count(make_crash: MakeCrash, count: int) -> None:
    frames = [{"frame": number} for number in range(count)]
    crash = make_crash({"json_dump": {"threads": [{"frames": frames}, {"frames": []}]}})
    assert TruncateStacks().applies(crash)
    thread = TruncateStacks().act(crash)["json_dump"]["threads"][0]
    kept = thread["frames"]
    assert thread["truncated"] is True
    assert kept[:250] == frames[:250]
    assert kept[251:] == frames[-250:]
    assert kept[250] == {"truncated": {"msg": f"{count - 500} frames truncated"}}


def test_the_crashing_thread_and_further_minidumps_are_shortened_as_well(
    make_crash: MakeCrash,
) -> None:
    long, short = {"frames": [{"frame": 1}] * 600}, {"frames": [{"frame": 1}]}
    browser = {"json_dump": {"threads": [short, long]}, "mdsw_status_string": "OK"}
    crash = make_crash(
        {
            "json_dump": {"crashing_thread": long, "threads": [long, short]},
            "upload_file_minidump_browser": browser,
        }
    )
    fields = TruncateStacks().act(crash)
    assert len(fields["json_dump"]["crashing_thread"]["frames"]) == 501
    shortened = fields["upload_file_minidump_browser"]
    assert shortened["mdsw_status_string"] == "OK"
    assert len(shortened["json_dump"]["threads"][1]["frames"]) == 501
    assert shortened["json_dump"]["threads"][0] == short
    assert crash.notes == [
        "json_dump.crashing_thread: truncated 600 frames to 501",
        "json_dump.threads.0: truncated 600 frames to 501",
        "upload_file_minidump_browser.json_dump.threads.1: truncated 600 frames to 501",
    ]
    assert len(long["frames"]) == 600


@pytest.mark.parametrize("dump", [None, {}, {"threads": None}, {"threads": [None, 3]}])
def test_there_may_be_nothing_to_shorten(make_crash: MakeCrash, dump: Any) -> None:
    assert not TruncateStacks().applies(make_crash({"json_dump": dump}))


def test_a_stack_of_500_frames_is_left_alone(make_crash: MakeCrash) -> None:
    dump = {"threads": [{"frames": [{}] * 500}]}
    assert not TruncateStacks().applies(make_crash({"json_dump": dump}))


def test_the_topmost_file_may_be_that_of_an_inlined_function(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": walk(), "crashing_thread": 1})
    assert TopmostFile().act(crash) == {"topmost_filenames": "a.h"}


@pytest.mark.parametrize("thread", [-1, 2, True, "1", None])
def test_a_thread_that_is_not_there_has_no_frames(make_crash: MakeCrash, thread: Any) -> None:
    dump = {**walk(), "crash_info": {"crashing_thread": thread}}
    crash = make_crash({"json_dump": dump})
    crash.processed |= CrashingThread().act(crash)
    assert not TopmostFile().applies(crash)


def test_an_empty_walk_has_a_crashing_thread_that_is_unknown(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": {}})
    assert CrashingThread().applies(crash)
    assert CrashingThread().act(crash) == {
        "crashing_thread": None,
        "crashing_thread_name": None,
        "reason": "",
        "address": None,
    }


def test_without_a_walk_nothing_is_said_of_a_crashing_thread(make_crash: MakeCrash) -> None:
    assert not CrashingThread().applies(make_crash())
    assert not CrashingThread().applies(make_crash({"json_dump": None}))


def test_the_first_thread_is_a_thread(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": walk(crashing_thread=0)})
    assert CrashingThread().act(crash)["crashing_thread"] == 0
    assert crash.notes == []


@pytest.mark.parametrize(
    ("processed", "count"),
    [({"json_dump": {"thread_count": 7}}, 7), ({"json_dump": {}}, None), ({}, None)],
)
def test_threads_are_counted_as_the_stackwalker_does(
    make_crash: MakeCrash, processed: dict[str, Any], count: int | None
) -> None:
    assert ThreadCount().act(make_crash(processed)) == {"thread_count": count}
