# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How a report was submitted, and what it is about."""

from collections.abc import Sequence
from typing import Any

import pytest

from processor.rules.report import ReportType, SubmittedFrom
from tests.processor.conftest import MakeCrash


@pytest.mark.parametrize(
    ("annotations", "submitted_from", "infobar"),
    [
        ({}, "Unknown", False),
        ({"SubmittedFrom": "Client"}, "Client", False),
        ({"SubmittedFrom": "Infobar"}, "Infobar", True),
        ({"SubmittedFrom": ""}, "Unknown", False),
        ({"SubmittedFromInfobar": "1"}, "Infobar", True),
        ({"SubmittedFromInfobar": "true"}, "Infobar", True),
        ({"SubmittedFromInfobar": True}, "Infobar", True),
        ({"SubmittedFromInfobar": "0"}, "Unknown", False),
        ({"SubmittedFromInfobar": False}, "Unknown", False),
        ({"SubmittedFromInfobar": "True"}, "Unknown", False),
        ({"SubmittedFromInfobar": "0", "SubmittedFrom": "Client"}, "Unknown", False),
        ({"SubmittedFrom": {"a": 1}}, "Unknown", False),
    ],
)
def test_the_older_annotation_goes_before_the_newer(
    make_crash: MakeCrash, annotations: dict[str, Any], submitted_from: str, infobar: bool
) -> None:
    assert SubmittedFrom().act(make_crash(**annotations)) == {
        "submitted_from": submitted_from,
        "submitted_from_infobar": infobar,
    }


def _walk(crashing_thread: object, *stacks: Sequence[str | None]) -> dict[str, Any]:
    threads = [{"frames": [{"function": function} for function in stack]} for stack in stacks]
    return {"crash_info": {"crashing_thread": crashing_thread}, "threads": threads}


WATCHDOG = ["mozilla::(anonymous namespace)::RunWatchdog(void*)"]


@pytest.mark.parametrize(
    ("processed", "expected"),
    [
        ({}, "crash"),
        ({"ipc_channel_error": "ShutDownKill"}, "hang"),
        ({"ipc_channel_error": ""}, "hang"),
        ({"async_shutdown_timeout": "{}"}, "hang"),
        ({"json_dump": _walk(1, ["main"], [None, *WATCHDOG])}, "hang"),
        ({"json_dump": _walk(0, ["main"], WATCHDOG)}, "crash"),
        ({"json_dump": _walk(None, WATCHDOG)}, "hang"),
        ({"json_dump": _walk(7, WATCHDOG)}, "crash"),
        ({"json_dump": {"crash_info": None, "threads": None}}, "crash"),
        ({"json_dump": {"threads": [{"frames": None}]}}, "crash"),
        ({"json_dump": None}, "crash"),
    ],
)
def test_a_program_that_was_ended_since_it_hung_is_a_hang(
    make_crash: MakeCrash, processed: dict[str, Any], expected: str
) -> None:
    assert ReportType().act(make_crash(processed)) == {"report_type": expected}
