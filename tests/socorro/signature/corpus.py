# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes from a seed: thousands in a second, of every platform, language and rule."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from .corpus_names import MODULES, SOURCES, WORDS, Names

_ABORTS = (
    "", "hello", "[12] ###!!! ABORT: x: file y", "a\tb" * 30, "###!!! ABORT: file a.cpp, line 1",
    "###!!! ABORT:file x", "a ###!!! ABORT: b ###!!! ABORT: c: file d: file e", "x" * 80, "x" * 81,
    "x" * 77 + "é" * 9, "[GFX1-]: unable to find a usable font (Arial (bold)) now", "é\n b",
    "unable to find a usable font (a: file b) (c)", "unable to find a usable font )(", "   ", "\n",
    "(a\nb) unable to find a usable font (c\nd)", "RunWatchdog", "mozalloc_handle_oom",
    "a" * 70_000,
    ": file x", "###!!! ABORT:", "x" * 60_000 + "###!!! ABORT: y: file z",
    "y" * 70_000 + ": file z",
    "z" * 90_000 + "###!!! ABORT: late: file q",
)  # fmt: skip
_TIMEOUTS = (
    "", "{}", "broken", "[]", "1", "null", '"x"', '{"phase": null}', '{"phase": ""}',
    '{"phase": 1}',
    '{"phase": "p", "conditions": []}', '{"phase": "p", "conditions": null}', '{"conditions": 5}',
    '{"phase": "p", "conditions": ["b", "a", {"name": "A"}]}',
    '{"phase": "p", "conditions": "cab"}',
    '{"phase": "p", "conditions": [{"x": 1}]}', '{"phase": "p", "conditions": {"z": 1, "a": 2}}',
    '{"phase": "p", "conditions": [1, null, true, {"name": 2.5}, {"name": null}, ["l"]]}',
    '{"phase": "p"} x', '{"phase": "a", "phase": "b"}', "\ufeff{}", '{"phase": NaN}', "NaN",
    '{"phase": "\\ud800", "conditions": ["\\u00e9", "a, b", ""]}', ' {"phase": "p"}\n',
    '{"phase": "p", "conditions": [' + ", ".join(f'"c{n}"' for n in range(3_000)) + "]}",
)  # fmt: skip
_OPTIONS: dict[str, tuple[Any, ...]] = {
    "crashing_thread": (0, 0, 0, 1, 1, 2, None, -1, -2, -9, 7, 10**30, "", "1", "5", "x",
    True, False),
    "os": ("Windows NT", "Windows NT", "Linux", "Mac OS X", "Android", "windows nt", None, ""),
    "reason": (
        "SIGSEGV / SEGV_MAPERR", "EXCEPTION_STACK_OVERFLOW", "EXCEPTION_STACK_OVERFLOW / 0x1",
        "STATUS_NO_MEMORY", "STATUS_FATAL_MEMORY_EXHAUSTION", "STATUS_NO_MEMORY / 0x1", None, "",
        "EXCEPTION_IN_PAGE_ERROR_READ / STATUS_DEVICE_DATA_ERROR",
    ),
    "oom_allocation_size": (None, 0, 1, -1, 262_144, 262_145, 10**20),
    "js_large_allocation_failure": ("Reporting", "Reporting", "Recovered", "reporting", "", None),
    "mdsw_status_string": ("OK", "ERROR_NO_THREAD_LIST", "MissingThreadList", "", None),
    "abort_message": _ABORTS,
    "hang": (None, "ui", "", "a\tb", 1, 0, -1),
    "async_shutdown_timeout": _TIMEOUTS,
    "ipc_channel_error": (None, "", "broken pipe", "x" * 101, " " * 99 + "ab", "é\n" * 80),
    "ipc_message_name": (None, "", "PContent::Msg_X", "  ", "a  b", "m" * 300, "é"),
    "additional_minidumps": (
        [], None, "", ["upload_file_minidump_browser"], "upload_file_minidump_browser",
        "upload_file_minidump_flash1,upload_file_minidump_browser",
        ["xupload_file_minidump_browser"],
    ),
}  # fmt: skip
_OFFSETS = (None, "", "0x0", "0", "0X00AB", "00ab", "-0x5", "garbage", "0x", " 0x5 ", "+5", "0x1_0",
    "0x00007FF6A1B2C3D4", "0xffffffffffffffff", "٣", "0x-5", "0x5\n", " ")  # fmt: skip
_CLASSES = (
    "java.lang.NullPointerException",
    "a.B",
    "A$C",
    "kotlin.Unit",
    "",
    "X@0123abcd",
    "é",
    "c" * 250,
)
_MESSAGES = ("", " ", ": m", "m: n", "x@0123abcd", "x@0123abcd y", "x@0123ABCD", "<addr>", "a\fb",
    "é",
    "m\u2028n", "m\x85n", "m\x1cn", "m\rn", "\tm\t", "x@0123abcdef",
    "a@0123abcd\u00a0")  # fmt: skip
_METHODS = ("at a.b.c(D.java:12)", "\tat a.b(D.kt:5)", "at a(Native Method)", "", "  ", "at z",
    "Caused by: x.Y: z", "at a(D.java:12) x", "at a(D.java:)", "at a(D.java:1)(E.java:22)",
    "at a(D.java:٣)", "... 5 more", "at a.<init>(X.java:9)\f", "at b(D.JAVA:1)")  # fmt: skip
_SHAPES_OF_EXCEPTIONS: tuple[Any, ...] = (
    {}, [], {"exception": None}, {"exception": {}}, {"exception": {"values": []}}, ["x"],
    {"exception": {"values": None}}, {"exception": {"values": [{}]}}, {"exception": []},
    {"exception": {"values": [{"stacktrace": None}]}}, {"exception": {"values": [None]}},
    {"exception": {"values": [{"stacktrace": {}, "type": "X", "module": "y"}]}},
)  # fmt: skip


_THREADS = (0, 1, 1, 1, 1, 1, 2, 2, 3)


class CrashMaker:
    """Whole crashes, the same ones for the same seed; `matched` are names that the lists know."""

    def __init__(self, seed: int, matched: Sequence[str] = ()) -> None:
        self._random = Random(seed)
        self._names = Names(self._random, matched)

    def crash(self) -> dict[str, Any]:
        """Crash data of the documented types; most have a stack, some a Java exception."""
        crash = {key: self._pick(values) for key, values in _OPTIONS.items() if self._chance(0.12)}
        if self._chance(0.7):
            crash["crashing_thread"] = 0
        if self._chance(0.97):
            crash["threads"] = [
                self._thread() for _ in range(self._pick((0, 1, 1, 1, 1, 1, 2, 2, 3)))
            ]
        if self._chance(0.05):
            crash["java_stack_trace"] = self._java_stack_trace()
        if self._chance(0.05):
            crash["java_exception"] = self._java_exception()
        return crash

    def function(self, depth: int = 3) -> str:
        """One C++ function of an ordinary kind."""
        return self._names.function(depth)

    def any_function(self) -> str:
        """One function of any language and spelling."""
        return self._names.any_function()

    def _thread(self) -> Any:
        count = self._pick((0, 1, 3, 5, 8, 12, 12, 50))
        thread: dict[str, Any] = {"frames": [self._frame() for _ in range(count)]}
        if self._chance(0.2):
            errors = ("ERROR_SUCCESS", "ERROR_COMMITMENT_LIMIT", "ERROR_NOT_ENOUGH_MEMORY", None)
            thread["last_error_value"] = self._pick(errors)
        return thread if self._chance(0.98) else {}

    def _call(self) -> dict[str, Any]:
        return {
            "function": self._names.any_function()
            if self._chance(0.75)
            else self._pick((None, "")),
            "file": self._pick(SOURCES),
            "line": self._pick((None, 0, 1, 4711, -1)),
        }

    def _frame(self) -> dict[str, Any]:
        if self._chance(0.1):
            return {"module": self._pick(MODULES), "offset": self._pick(_OFFSETS)}
        frame = self._call() | {"module": self._pick(MODULES)}
        if self._chance(0.6):
            frame["offset"] = f"0x{self._random.getrandbits(47):016x}"
        elif self._chance(0.5):
            frame["offset"] = self._pick(_OFFSETS)
            frame["module_offset"] = self._pick(_OFFSETS)
        if self._chance(0.2):
            frame["inlines"] = [self._call() for _ in range(self._pick((0, 1, 2, 3, 45)))]
        if self._chance(0.1):
            frame["unloaded_modules"] = [
                {"module": name, "offsets": ["0x1"]}
                for name in self._random.choices(("gone.dll", "Old.DLL", "", "[x]"), k=2)
            ]
        return {key: value for key, value in frame.items() if self._chance(0.97)}

    def _java_stack_trace(self) -> str:
        first = self._pick(_CLASSES)
        if self._chance(0.8):
            first += self._pick((": ", ":", " : ")) + self._java_message()
        methods = [self._pick(_METHODS) for _ in range(self._random.randint(0, 3))]
        return self._pick(("\n", "\n", "\r\n", "\r", "\n\n")).join([first, *methods])

    def _java_message(self) -> str:
        if self._chance(0.4):
            return "m" * self._random.randint(200, 265) + self._pick(("", "@0123abcd"))
        return self._pick(_MESSAGES)

    def _java_exception(self) -> Any:
        if self._chance(0.3):
            return self._pick(_SHAPES_OF_EXCEPTIONS)
        kinds: Mapping[str, Callable[[], Any]] = {
            "type": lambda: self._pick(("NullPointerException", "T" * 300, "E@0123abcd")),
            "module": lambda: self._pick(("java.lang", "", None, " m ")),
            "frames": lambda: self._pick((None, [], [self._java_frame(), self._java_frame()])),
        }
        trace = {key: value() for key, value in kinds.items() if self._chance(0.8)}
        return {"exception": {"values": [{"stacktrace": trace}]}}

    def _java_frame(self) -> dict[str, Any]:
        frame = {
            "module": self._pick(("org.example.Store", "", None)),
            "function": self._pick(("open", "<init>", "", None)),
            "filename": self._pick(("Store.java", "Store.kt:5", "", None)),
            "lineno": 5,
            "in_app": True,
            "package": self._pick(WORDS),
        }
        return {key: value for key, value in frame.items() if self._chance(0.8)}

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _pick(self, values: Sequence[Any]) -> Any:
        return self._random.choice(values)
