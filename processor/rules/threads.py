# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The threads of the stack walk: which one crashed, why, where, and stacks kept to a size."""

from collections.abc import Iterator, Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.metrics import METRICS

_MAX_FRAMES = 500
_KEPT_AT_EACH_END = 250
_MAIN = "json_dump"
_BROWSER = "upload_file_minidump_browser.json_dump"


class CrashingThread(Rule):
    """``crashing_thread`` and the reason and address of the crash."""

    reads = frozenset({"json_dump"})
    writes = frozenset(
        {"address", "crashing_thread", "crashing_thread_name", "last_error_value", "reason"}
    )

    def applies(self, crash: Crash) -> bool:
        """Only where a stack was walked."""
        return crash.is_walked

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Read the crash's own part of the walk."""
        index = crash.crash_info.get("crashing_thread")
        if not isinstance(index, int) or isinstance(index, bool):
            index = None
            crash.note("mdsw did not identify the crashing thread")
        thread = crash.json_dump.get("crashing_thread")
        thread = thread if isinstance(thread, dict) else {}
        fields = {
            "crashing_thread": index,
            "crashing_thread_name": _text(thread.get("thread_name")),
            "reason": _text(crash.crash_info.get("type")) or "",
            "address": _address(crash.crash_info),
        }
        last_error = thread.get("last_error_value")
        return fields | ({"last_error_value": last_error} if isinstance(last_error, str) else {})


class TruncateStacks(Rule):
    """Stacks of more than 500 frames keep their first and last 250, in all minidumps."""

    reads = frozenset({"json_dump", "upload_file_minidump_browser"})
    writes = frozenset({"json_dump", "upload_file_minidump_browser"})

    def applies(self, crash: Crash) -> bool:
        """Only where some stack is too long."""
        return any(
            _too_long(thread) for walk in _walks(crash).values() for _, thread in _threads(walk)
        )

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Put one marker frame in place of those cut out of each long stack."""
        shortened = {path: self._shorten(crash, path, walk) for path, walk in _walks(crash).items()}
        fields = {"json_dump": shortened[_MAIN]} if _MAIN in shortened else {}
        if _BROWSER in shortened:
            browser = crash.processed["upload_file_minidump_browser"]
            fields["upload_file_minidump_browser"] = {**browser, "json_dump": shortened[_BROWSER]}
        return fields

    def _shorten(self, crash: Crash, path: str, walk: Mapping[str, Any]) -> dict[str, Any]:
        for place, thread in _threads(walk):
            if _too_long(thread):
                METRICS.gauge("processor.truncatestackrule.stack_size", len(thread["frames"]))
                METRICS.incr("processor.truncatestackrule.truncated")
                crash.note(f"{path}.{place}: truncated {len(thread['frames'])} frames to 501")
        dump = dict(walk)
        if isinstance(dump.get("threads"), list):
            dump["threads"] = [_truncate(thread) for thread in dump["threads"]]
        if "crashing_thread" in dump:
            dump["crashing_thread"] = _truncate(dump["crashing_thread"])
        return dump


class ThreadCount(Rule):
    """``thread_count``: the number of threads in the minidump, null without one."""

    reads = frozenset({"json_dump"})
    writes = frozenset({"thread_count"})

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


def _walks(crash: Crash) -> dict[str, Mapping[str, Any]]:
    """Return the stack walks of all minidumps by their paths in the processed crash."""
    browser = crash.processed.get("upload_file_minidump_browser")
    found = {
        _MAIN: crash.processed.get("json_dump"),
        _BROWSER: browser.get("json_dump") if isinstance(browser, dict) else None,
    }
    return {path: walk for path, walk in found.items() if isinstance(walk, dict)}


def _threads(walk: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the path and the thread of each; the crashing one is there twice."""
    yield "crashing_thread", walk.get("crashing_thread")
    threads = walk.get("threads")
    for number, thread in enumerate(threads if isinstance(threads, list) else []):
        yield f"threads.{number}", thread


def _too_long(thread: Any) -> bool:
    frames = thread.get("frames") if isinstance(thread, dict) else None
    return isinstance(frames, list) and len(frames) > _MAX_FRAMES


def _truncate(thread: Any) -> Any:
    if not _too_long(thread):
        return thread
    frames = thread["frames"]
    count = len(frames) - 2 * _KEPT_AT_EACH_END
    marker = {"truncated": {"msg": f"{count} frames truncated"}}
    kept = [*frames[:_KEPT_AT_EACH_END], marker, *frames[-_KEPT_AT_EACH_END:]]
    return {**thread, "frames": kept, "truncated": True}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
