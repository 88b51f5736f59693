# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash data, checked: what signature generation reads of a crash.

Every key is optional, null is the same as absent, and unknown keys are ignored. Only what is
read is checked, so that the cost does not grow with the size of the crash.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from socorro.signature.errors import CrashDataError

# Longer texts are cut before anything looks at them: a signature has 255 characters at most.
MAX_TEXT_CHARS = 65_536

# JSON that is cut cannot be read at all, and an abort message says what it is behind a mark, so
# there is more room for them.
_MAX_JSON_CHARS = 262_144
_MAX_ABORT_MESSAGE_CHARS = 1_048_576


class CrashData(NamedTuple):
    """The keys of crash data that rules read; Java's are as they came, its rules check them."""

    crashing_thread: int
    threads: Sequence[Any]
    os: str
    reason: str
    java_stack_trace: Any
    java_exception: Any
    oom_allocation_size: int | None
    js_large_allocation_failure: str
    abort_message: str
    hang: str | None
    async_shutdown_timeout: str
    ipc_channel_error: str
    ipc_message_name: str
    additional_minidumps: Sequence[Any] | str
    mdsw_status_string: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "CrashData":
        """Raises CrashDataError with the key whose value has the wrong type."""
        if not isinstance(raw, Mapping):
            raise CrashDataError("crash data", "an object")
        return cls(
            crashing_thread=_index(raw.get("crashing_thread")),
            threads=as_list(raw.get("threads"), "threads"),
            os=_text(raw, "os"),
            reason=_text(raw, "reason"),
            java_stack_trace=raw.get("java_stack_trace"),
            java_exception=raw.get("java_exception"),
            oom_allocation_size=_size(raw.get("oom_allocation_size")),
            js_large_allocation_failure=_text(raw, "js_large_allocation_failure"),
            abort_message=as_text(
                raw.get("abort_message"), "abort_message", _MAX_ABORT_MESSAGE_CHARS
            ),
            hang=_hang(raw.get("hang")),
            async_shutdown_timeout=as_text(
                raw.get("async_shutdown_timeout"), "async_shutdown_timeout", _MAX_JSON_CHARS
            ),
            ipc_channel_error=_text(raw, "ipc_channel_error"),
            ipc_message_name=_text(raw, "ipc_message_name"),
            additional_minidumps=_names(raw.get("additional_minidumps")),
            mdsw_status_string=_text(raw, "mdsw_status_string"),
        )

    def thread(self, index: int) -> Mapping[str, Any]:
        """The thread, empty if there is none; a negative index counts from the last one."""
        try:
            thread = self.threads[index]
        except IndexError:
            return {}
        if thread is None:
            return {}
        return as_object(thread, f"threads[{index}]")


def as_list(value: Any, key: str) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise CrashDataError(key, "a list or null")
    return value


def as_object(value: Any, key: str) -> Mapping[str, Any]:
    # The first test is the usual case, and much faster than the second.
    if not (isinstance(value, dict) or isinstance(value, Mapping)):  # noqa: SIM101
        raise CrashDataError(key, "an object")
    return value


def as_text(value: Any, key: str, limit: int = MAX_TEXT_CHARS) -> str:
    """The first `limit` characters of a string; "" for None."""
    if type(value) is str and len(value) <= limit:  # the usual case
        return value
    if value is None:
        return ""
    if not isinstance(value, str):
        raise CrashDataError(key, "a string or null")
    return value[:limit]


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return "" if value is None else as_text(value, key)


def _index(value: Any) -> int:
    """The crashing thread; 0 for whatever is no number, as minidumps without one mean the first."""
    if not isinstance(value, (int, float, str)):
        return 0
    try:
        return max(min(int(value), 2**31), -(2**31))
    except (ValueError, OverflowError):
        return 0


def _size(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, (int, float, str)):
        try:
            return int(value)
        except (ValueError, OverflowError):
            pass
    raise CrashDataError("oom_allocation_size", "an integer or null")


def _hang(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    return as_text(value, "hang")


def _names(value: Any) -> Sequence[Any] | str:
    """The names of the additional minidumps: a list, or one text that has them all."""
    if isinstance(value, str):
        return value
    return as_list(value, "additional_minidumps")
