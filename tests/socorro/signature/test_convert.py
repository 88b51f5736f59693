# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""From a processed crash to crash data."""

from typing import Any

import pytest

from socorro.signature import from_processed_crash, generate


def test_a_processed_crash_gives_its_crash_data() -> None:
    threads = [{"frames": [{"function": "f"}]}]
    processed = {
        "signature": "old",
        "json_dump": {
            "crash_info": {"crashing_thread": 0, "type": "SIGSEGV", "address": "0x0"},
            "system_info": {"os": "Linux"},
            "threads": threads,
        },
        "mdsw_status_string": "OK",
        "oom_allocation_size": "12",
        "java_stack_trace": None,
        "user_comments": "secret",
    }
    assert from_processed_crash(processed) == {
        "original_signature": "old",
        "crashing_thread": 0,
        "reason": "SIGSEGV",
        "threads": threads,
        "os": "Linux",
        "mdsw_status_string": "OK",
        "oom_allocation_size": 12,
    }


@pytest.mark.parametrize(
    "processed",
    [
        {}, {"json_dump": None}, {"json_dump": []}, {"json_dump": {"crash_info": 1}},
        {"json_dump": {"threads": None, "system_info": []}}, {"oom_allocation_size": "many"},
    ],
)  # fmt: skip
def test_a_processed_crash_without_a_stack_is_an_empty_one(processed: dict[str, Any]) -> None:
    crash = from_processed_crash(processed)
    assert generate(crash).signature == "EMPTY: no frame data available"
