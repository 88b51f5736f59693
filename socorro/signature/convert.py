# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""From a processed crash to crash data."""

from collections.abc import Mapping
from typing import Any

# They have the same name and meaning in a processed crash.
_SAME_IN_BOTH = (
    "abort_message",
    "additional_minidumps",
    "async_shutdown_timeout",
    "hang",
    "ipc_channel_error",
    "ipc_message_name",
    "java_exception",
    "java_stack_trace",
    "js_large_allocation_failure",
    "mdsw_status_string",
)


def from_processed_crash(processed: Mapping[str, Any]) -> dict[str, Any]:
    """The crash data of a processed crash, for `generate`; what it has no value for is left out.

    `original_signature` is the signature that the crash has now.
    """
    data = {key: processed[key] for key in _SAME_IN_BOTH if processed.get(key) is not None}
    oom_allocation_size = _integer(processed.get("oom_allocation_size"))
    if oom_allocation_size is not None:
        data["oom_allocation_size"] = oom_allocation_size
    if processed.get("signature") is not None:
        data["original_signature"] = processed["signature"]
    walk = _object(processed.get("json_dump"))
    if walk:
        crash_info = _object(walk.get("crash_info"))
        data["crashing_thread"] = crash_info.get("crashing_thread")
        data["reason"] = crash_info.get("type")
        data["threads"] = walk.get("threads") or []
        data["os"] = _object(walk.get("system_info")).get("os")
    return data


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
