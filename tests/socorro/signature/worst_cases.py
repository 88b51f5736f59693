# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes of about a megabyte, each made to cost as much as one kind of work can."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

MEGABYTE = 1_000_000

# What is repeated until there is a megabyte of it, as a function, a file, a message, anything.
PIECES = (
    "<", "(", ">", ")", "<>", " (", "(x) ", "a<b>", "a, ", " ,", ", ", " *", "&", " const",
    "const&",
    "IPC::ParamTraits<", "a<x in ", "a<x as ", "::$_1", "::$_1::", "::h0", "::h", "operator",
    "operator(", "operator<", "::operator", "`'", "`", "'", "[clone .cold]", "[", "{", "}", "/",
    "\\",
    ":", "/:", "abort", "mozilla::", "std::list<", "ns", "nsTSubstring<", "NS_Lossy", "x@0123abcd",
    "<addr>", "@", "###!!! ABORT:", ": file ", "unable to find a usable font (", ".java:1", "\n",
    "\r\n",
    "\t", " ", "\x00", "é", "\ud800", "\U0001f600", "0", "f", "_", "a", "libc-1.", "org.mozilla.f",
    "(anonymous namespace)", "`anonymous namespace'", "<name omitted>", "RunWatchdog", "{lambda(",
    "a<b<c<d<e<f<g>>>>>>>(h)", "a b c d ", "decltype(", "(((()))) ", "<(<(<(", ")>)>", "a::b<c>::",
)  # fmt: skip


def worst_cases(pieces: Sequence[str] = PIECES) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each crash with what it is about."""
    for piece in pieces:
        text = piece * (MEGABYTE // len(piece))
        for key, crash in _crashes_of_text(text):
            yield f"{key} of {piece!r}", crash
        yield f"40 functions of {piece!r}", _stack({"function": text[:25_000]}, 40)
        yield (
            f"40 Rust functions of {piece!r}",
            _stack({"function": text[:25_000], "file": "/x.rs"}, 40),
        )
        yield f"40 short functions of {piece!r}", _stack({"function": text[:1_000]}, 1_000)
    yield from _crashes_of_numbers()
    yield from _crashes_of_json()


def _stack(frame: dict[str, Any], count: int) -> dict[str, Any]:
    """A stack of different functions, so that none is remembered."""
    name = frame.get("function")
    frames = [frame | ({"function": f"{name}{n}"} if name else {}) for n in range(count)]
    return {"threads": [{"frames": frames}], "os": "Windows NT"}


def _crashes_of_text(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in (None, "/x.rs", "c:\\x.cc"):
        yield f"function in {file}", _stack({"function": text, "file": file, "line": 1}, 1)
    for key in ("file", "module", "offset"):
        yield key, _stack({key: text, "line": 1}, 1)
    yield "unloaded module", _stack({"unloaded_modules": [{"module": text}]}, 1)
    for key in (
        "abort_message", "ipc_channel_error", "ipc_message_name", "hang", "mdsw_status_string",
        "reason", "async_shutdown_timeout", "additional_minidumps", "java_stack_trace", "os",
        "js_large_allocation_failure", "crashing_thread",
    ):  # fmt: skip
        yield key, {key: text}
    yield "font", {"abort_message": f"unable to find a usable font {text}"}
    yield "abort", {"abort_message": f"###!!! ABORT: {text}"}
    yield "java", {"java_stack_trace": f"a: {text}\nat b({text}.java:1)"}
    frame = {"module": text, "function": text, "filename": text}
    trace = {"type": text, "module": text, "frames": [frame]}
    yield "java exception", {"java_exception": {"exception": {"values": [{"stacktrace": trace}]}}}
    timeout = {"phase": text, "conditions": [text]}
    yield "shutdown", {"async_shutdown_timeout": json.dumps(timeout)}


def _crashes_of_numbers() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "frames", {"threads": [{"frames": [{"function": "f"}] * 100_000}]}
    yield "empty frames", {"threads": [{"frames": [{}] * 100_000}]}
    inlines = [{"function": "memcpy"}] * 100_000
    yield "inlines", {"threads": [{"frames": [{"inlines": inlines}]}]}
    yield "inlines of each", {"threads": [{"frames": [{"inlines": [{}] * 1_000}] * 100}]}
    unloaded = [{"module": "x.dll"}] * 50_000
    yield "unloaded modules", {"threads": [{"frames": [{"unloaded_modules": unloaded}]}]}
    yield "threads", {"threads": [{"frames": []}] * 100_000, "crashing_thread": 99_999}
    digits = "9" * MEGABYTE
    yield "digits", {"crashing_thread": digits, "threads": [{"frames": [{"offset": digits}]}]}
    names = [f"dump_{n}" for n in range(80_000)]
    yield "minidumps", {"ipc_channel_error": "x", "additional_minidumps": names}
    yield "prefixes", _stack({"function": "memcpy" + "x" * 25_000}, 40)
    yield "keys", {f"key_{n}": n for n in range(80_000)}


def _crashes_of_json() -> Iterator[tuple[str, dict[str, Any]]]:
    half = MEGABYTE // 2
    for text in (
        "[" * MEGABYTE,
        "[" * half + "]" * half,
        '{"a":' * 200_000,
        '{"phase": "p", "conditions": [' + '"a",' * 250_000 + '"a"]}',
        '{"phase": "p", "conditions": [' + "{}," * 330_000 + "{}]}",
        '{"phase": "p", "conditions": [' + '{"name":"b"},' * 76_000 + '"a"]}',
        '{"phase": "p", "conditions": [' + "[1]," * 250_000 + "1]}",
        '{"phase": "p", "conditions": [' + "[" * 900 + "]" * 900 + "]}",
        '{"phase": "p", "conditions": [' + "9" * MEGABYTE + "]}",
        '{"phase": "p", "conditions": [' + "9" * 4_000 + "]}",
        '{"phase": "' + "\\u00e9" * (MEGABYTE // 6) + '"}',
    ):
        yield f"JSON {text[:45]}", {"async_shutdown_timeout": text}
