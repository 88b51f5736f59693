# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The rules of the pipeline, and their order."""

import json
from typing import Any

import pytest

from socorro.signature import PIPELINE, Action, Step, generate

FRAMES = {"threads": [{"frames": [{"function": "f(int)"}]}]}


def sign(**crash: Any) -> str:
    return generate(FRAMES | crash).signature


def test_there_are_fourteen_rules() -> None:
    assert len(PIPELINE) == 14


def test_a_crash_without_frames_has_an_empty_signature_and_no_proto_signature() -> None:
    result = generate({})
    assert result.signature == "EMPTY: no frame data available"
    assert result.proto_signature is None
    assert result.trail == ()
    assert result.notes == ("Stack: thread 0 has no frames",)


@pytest.mark.parametrize("threads", [None, [], [None], [{}], [{"frames": None}], [{"frames": []}]])
def test_every_way_to_have_no_frames_is_the_same(threads: Any) -> None:
    assert generate({"threads": threads}).signature == "EMPTY: no frame data available"


@pytest.mark.parametrize(
    ("crashing_thread", "signature"),
    [(0, "a"), (1, "b"), (None, "a"), ("1", "b"), ("x", "a"), ([], "a"), (float("inf"), "a")],
)
def test_a_crashing_thread_that_is_no_number_is_the_first(
    crashing_thread: Any, signature: str
) -> None:
    threads = [{"frames": [{"function": "a"}]}, {"frames": [{"function": "b"}]}]
    result = generate({"crashing_thread": crashing_thread, "threads": threads})
    assert result.signature == signature


def test_a_crashing_thread_that_does_not_exist_has_no_frames() -> None:
    assert sign(crashing_thread=7) == "EMPTY: no frame data available"


def test_the_stackwalker_s_error_explains_an_empty_signature() -> None:
    crash = {"mdsw_status_string": "HeaderMismatch"}
    assert generate(crash).signature == "EMPTY: no frame data available; HeaderMismatch"
    assert sign(**crash) == "f"


def test_a_disk_that_cannot_be_read_is_bad_hardware() -> None:
    assert sign(reason="STATUS_DEVICE_DATA_ERROR / 0x0") == "bad hardware | f"


@pytest.mark.parametrize(
    ("crash", "signature"),
    [
        ({"oom_allocation_size": None}, "f"),
        ({"oom_allocation_size": 0}, "f"),
        ({"oom_allocation_size": 1}, "OOM | small"),
        ({"oom_allocation_size": 262_144}, "OOM | small"),
        ({"oom_allocation_size": 262_145}, "OOM | large | f"),
        ({"oom_allocation_size": "262145"}, "OOM | large | f"),
        ({"js_large_allocation_failure": "Reporting"}, "OOM | large | f"),
        ({"js_large_allocation_failure": "Recovered"}, "f"),
        ({"reason": "STATUS_NO_MEMORY"}, "OOM | unknown | f"),
        ({"reason": "STATUS_NO_MEMORY / 0x1"}, "f"),
    ],
)
def test_out_of_memory_is_told_by_its_size(crash: dict[str, Any], signature: str) -> None:
    assert sign(**crash) == signature


def test_the_last_error_of_the_crashing_thread_tells_of_missing_memory() -> None:
    thread = {"frames": [{"function": "f"}], "last_error_value": "ERROR_COMMITMENT_LIMIT"}
    assert sign(threads=[thread]) == "OOM | unknown | f"
    assert sign(threads=[{"frames": [{"function": "f"}]}, thread]) == "f"


def test_a_frame_that_handles_missing_memory_tells_of_it() -> None:
    frames = [{"function": "NS_ABORT_OOM(unsigned long)"}, {"function": "f"}]
    assert sign(threads=[{"frames": frames}]) == "OOM | unknown | NS_ABORT_OOM | f"


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        ("out of cheese", "Abort | out of cheese | f"),
        ("[12] ###!!! ABORT: no: file a.cpp, line 3", "Abort | no | f"),
        ("[12] ###!!! ABORT: file a.cpp, line 3", "Abort | f"),
        ("x" * 80, f"Abort | {'x' * 80} | f"),
        ("x" * 81, f"Abort | {'x' * 77}... | f"),
        ("unable to find a usable font (a (b)) !", "Abort | unable to find a usable font  ! | f"),
        ("a\tb\u00e9\n", "Abort | ab | f"),
    ],
)
def test_an_abort_message_is_condensed(message: str, signature: str) -> None:
    assert sign(abort_message=message) == " ".join(signature.split())


@pytest.mark.parametrize(
    ("annotation", "signature"),
    [
        ('{"phase": "p", "conditions": ["b", "a"]}', "AsyncShutdownTimeout | p | a,b"),
        ('{"phase": "p", "conditions": [{"name": "n"}]}', "AsyncShutdownTimeout | p | n"),
        ('{"phase": "p", "conditions": [{"nom": "n"}]}', "AsyncShutdownTimeout | p | UNKNOWN"),
        ("{}", "AsyncShutdownTimeout | (unknown) | (none)"),
        ("broken", "AsyncShutdownTimeout | UNKNOWN"),
        ("[" * 60_000, "AsyncShutdownTimeout | UNKNOWN"),
        ("[]", "f"),
        ('{"conditions": 5}', "f"),
        ('{"conditions": [[1]]}', "AsyncShutdownTimeout | (unknown) | [1]"),
    ],
)
def test_a_shutdown_timeout_names_what_it_waited_for(annotation: str, signature: str) -> None:
    assert sign(async_shutdown_timeout=annotation) == signature


def test_a_shutdown_hang_is_named_after_the_first_thread() -> None:
    watchdog = {"frames": [{"function": "mozilla::(anonymous namespace)::RunWatchdog(void*)"}]}
    crash = {"threads": [{"frames": [{"function": "Wait"}]}, watchdog], "crashing_thread": 1}
    result = generate(crash)
    assert result.signature == "shutdownhang | Wait"
    assert result.proto_signature == "Wait"
    assert [entry.name for entry in result.trail] == ["Wait"]


def test_a_shutdown_hang_follows_the_given_lists(no_lists: Any) -> None:
    crash = {
        "threads": [
            {"frames": [{"function": "abort"}, {"function": "Wait"}]},
            {"frames": [{"function": "RunWatchdog"}]},
        ],
        "crashing_thread": 1,
    }
    assert generate(crash, no_lists).signature == "shutdownhang | abort"


def test_an_ipc_channel_error_replaces_the_signature() -> None:
    assert sign(ipc_channel_error="x" * 101) == f"IPCError-content | {'x' * 100}"
    browser = {"additional_minidumps": ["upload_file_minidump_browser"]}
    assert sign(ipc_channel_error="x", **browser) == "IPCError-browser | x"


def test_an_ipc_message_is_appended() -> None:
    assert sign(ipc_message_name="PContent::Msg_X") == "f | IPC_Message_Name=PContent::Msg_X"


def test_a_stack_overflow_is_marked_by_the_exact_reason() -> None:
    assert sign(reason="EXCEPTION_STACK_OVERFLOW") == "stackoverflow | f"
    assert sign(reason="EXCEPTION_STACK_OVERFLOW / 0x1") == "f"


@pytest.mark.parametrize(("hang", "mark"), [("ui", "ui"), (1, "1"), (0, "0")])
def test_a_hang_is_marked(hang: Any, mark: str) -> None:
    assert sign(hang=hang) == f"hang: {mark} | f"


def test_rules_apply_in_their_order() -> None:
    crash = {
        "reason": "EXCEPTION_STACK_OVERFLOW",
        "oom_allocation_size": 300_000,
        "abort_message": "why",
        "ipc_message_name": "M",
        "hang": "ui",
    }
    assert sign(**crash) == (
        "hang: ui | stackoverflow | Abort | why | OOM | large | f | IPC_Message_Name=M"
    )


def test_what_is_not_printable_is_left_out_and_spaces_are_folded() -> None:
    result = generate({"threads": [{"frames": [{"function": "a\u00e9\tb<c>  d(\x00)"}]}]})
    assert result.signature == "d"
    assert sign(ipc_message_name="a\u00e9\t b  c ") == "f | IPC_Message_Name=a b c"


def test_a_long_signature_is_cut_at_255_characters() -> None:
    assert sign(threads=[{"frames": [{"function": "x" * 255}]}]) == "x" * 255
    result = generate({"threads": [{"frames": [{"function": "x" * 256}]}]})
    assert result.signature == "x" * 252 + "..."
    assert result.notes == ("Length: the signature is cut: it is too long",)
    assert result.proto_signature == "x" * 256


def test_a_shutdown_hang_of_a_thread_without_names_keeps_the_watchdog() -> None:
    threads = [{"frames": [{}]}, {"frames": [{"function": "RunWatchdog"}]}]
    assert sign(threads=threads, crashing_thread=1) == "shutdownhang | RunWatchdog"


def test_the_steps_are_the_rules_that_changed_the_signature() -> None:
    result = generate(FRAMES | {"oom_allocation_size": 10**6, "ipc_message_name": "M\n"})
    assert result.steps == (
        Step("Stack", "", "f"),
        Step("Out of memory", "f", "OOM | large | f"),
        Step("IPC message", "OOM | large | f", "OOM | large | f | IPC_Message_Name=M\n"),
        Step(
            "Printable characters",
            "OOM | large | f | IPC_Message_Name=M\n",
            "OOM | large | f | IPC_Message_Name=M",
        ),
    )


def test_a_result_is_plain_json() -> None:
    crash = {"threads": [{"frames": [{"function": "memcpy"}, {"function": "ns::f(int)"}]}]}
    document = generate(crash).document(verbose=True)
    assert json.loads(json.dumps(document)) == document
    assert document["signature"] == "memcpy | ns::f"
    assert [entry["given"] for entry in document["trail"]] == ["memcpy", "ns::f(int)"]
    assert document["trail"][0]["action"] == str(Action.PREFIX)
    assert document["trail"][0]["matches"][0]["file"] == "prefix_signature_re.txt"
    assert document["steps"] == [{"rule": "Stack", "before": "", "after": "memcpy | ns::f"}]
    assert generate(crash).document().keys() == {"signature", "proto_signature", "notes"}


def test_the_crash_data_is_left_as_it_was() -> None:
    crash: dict[str, Any] = {"threads": [{"frames": [{"function": "f", "inlines": [{}]}]}]}
    before = repr(crash)
    generate(crash)
    assert repr(crash) == before
