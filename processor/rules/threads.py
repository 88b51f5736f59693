# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The threads of the stack walk: which one crashed, why, where, and stacks kept to a size."""

from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_MAX_FRAMES = 500
_KEPT_AT_EACH_END = 250


class CrashingThread(Rule):
    """``crashing_thread`` and the reason and address of the crash."""

    reads = frozenset({"json_dump"})
    writes = frozenset(
        {"address", "crashing_thread", "crashing_thread_name", "last_error_value", "reason"}
    )

    def applies(self, crash: Crash) -> bool:
        """Only where a stack was walked."""
        return bool(crash.json_dump)

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Read the crash's own part of the walk."""
        info = crash.json_dump.get("crash_info") or {}
        index = info.get("crashing_thread")
        if not isinstance(index, int):
            index = None
            crash.note("mdsw did not identify the crashing thread")
        thread = _thread(crash, index)
        fields = {
            "crashing_thread": index,
            "crashing_thread_name": thread.get("thread_name"),
            "reason": info.get("type") or "",
            "address": _address(info),
        }
        last_error = thread.get("last_error_value")
        return fields | ({"last_error_value": last_error} if isinstance(last_error, str) else {})


class TruncateStacks(Rule):
    """Stacks of more than 500 frames keep their first and last 250."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"json_dump"})

    def applies(self, crash: Crash) -> bool:
        """Only where some stack is too long."""
        return any(_too_long(thread) for thread in _all_threads(crash))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Put one marker frame in place of those cut out of each long stack."""
        dump = dict(crash.json_dump)
        dump["threads"] = [self._truncate(thread) for thread in dump.get("threads") or []]
        if isinstance(dump.get("crashing_thread"), dict):
            dump["crashing_thread"] = self._truncate(dump["crashing_thread"])
        cut = sum(_too_long(thread) for thread in crash.json_dump.get("threads") or [])
        crash.note(f"stacks of {cut} threads were truncated to {_MAX_FRAMES} frames")
        return {"json_dump": dump}

    def _truncate(self, thread: dict[str, Any]) -> dict[str, Any]:
        if not _too_long(thread):
            return thread
        frames = thread["frames"]
        count = len(frames) - 2 * _KEPT_AT_EACH_END
        marker = {"truncated": {"msg": f"{count} frames truncated"}}
        kept = [*frames[:_KEPT_AT_EACH_END], marker, *frames[-_KEPT_AT_EACH_END:]]
        return {**thread, "frames": kept, "truncated": True}


class ThreadCount(Rule):
    """``thread_count``: the number of threads in the minidump."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"thread_count"})

    def applies(self, crash: Crash) -> bool:
        """Only where a stack was walked."""
        return bool(crash.json_dump)

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Copy the count."""
        count = crash.json_dump.get("thread_count")
        return {"thread_count": count if isinstance(count, int) else None}


class TopmostFile(Rule):
    """``topmost_filenames``: the source file of the first frame that has one."""

    reads = frozenset({"crashing_thread", "json_dump"})
    writes = frozenset({"topmost_filenames"})

    def applies(self, crash: Crash) -> bool:
        """Only where there is a crashing thread with frames."""
        return bool(crash.crashing_frames)

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Look at the inlined functions of a frame before the frame itself."""
        for frame in crash.crashing_frames:
            files = [inline.get("file") for inline in frame.get("inlines") or []]
            for name in (*files, frame.get("file")):
                if name:
                    return {"topmost_filenames": name}
        return {}


def _address(info: Mapping[str, Any]) -> str | None:
    """Return the address that the program used, where the CPU reports another."""
    address = info.get("address")
    adjusted = info.get("adjusted_address")
    if not isinstance(adjusted, dict):
        return address
    if adjusted.get("kind") == "null-pointer":
        width = 16 if isinstance(address, str) and len(address) == 18 else 8
        return "0x" + "0" * width
    if adjusted.get("kind") == "non-canonical" and adjusted.get("address"):
        return str(adjusted["address"])
    return address


def _thread(crash: Crash, index: int | None) -> Mapping[str, Any]:
    threads = crash.json_dump.get("threads") or []
    return threads[index] if index is not None and 0 <= index < len(threads) else {}


def _all_threads(crash: Crash) -> list[Mapping[str, Any]]:
    extra = crash.json_dump.get("crashing_thread")
    threads = crash.json_dump.get("threads") or []
    return [*threads, *([extra] if isinstance(extra, dict) else [])]


def _too_long(thread: Mapping[str, Any]) -> bool:
    return len(thread.get("frames") or []) > _MAX_FRAMES
