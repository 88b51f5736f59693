# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash data that hypothesis makes up: names like those of compilers, and names like nobody's."""

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

_WORDS = (
    "Alloc", "Foo", "IPC::ParamTraits", "RunWatchdog", "_purecall", "abort", "alloc", "bar",
    "const", "core", "gfx", "h0123abcdef", "int", "js_Interpret", "memcpy", "mozilla", "nsTArray",
    "ns_x", "operator", "operator new", "operator bool", "operator->", "panic", "raise", "static",
    "std", "unsigned long", "void", "~Foo", "$_12", "`anonymous namespace'", "<name omitted>",
    "(anonymous namespace)", "{{closure}}", "{lambda(int)#1}", "[clone .cold.12]",
    "[clone .isra.0]",
)  # fmt: skip
_GLUE = (
    "", " ", "  ", "::", "::", "<", ">", "<<", ">>", "(", ")", "()", ", ", ",", " ,", " *", "*",
    "&", "&&", " const", " const&", " const &", "[", "]", "{", "}", "`", "'", " as ", " in ",
    "->", "~",
)  # fmt: skip
_SHAPES = (
    "{path}", "{path}<{types}>", "{path}<{types}>::{other}", "{path}({types})",
    "{path}({types}) const", "{other} {path}({types})", "<{types} as {other}>::{path}",
    "{path}::{other}<{types}>({types}) const &", "static {other}<{types}>* {path}({other} *)",
    "{types}*", "{types} &",
)  # fmt: skip

words = st.sampled_from(_WORDS)
paths = st.lists(words, min_size=1, max_size=4).map("::".join)


@st.composite
def realistic_functions(draw: st.DrawFn, depth: int = 3) -> str:
    """A name as demanglers write it, with templates and arguments up to a depth."""
    path = draw(paths)
    if not depth:
        return path
    inner = realistic_functions(depth=depth - 1)
    shape = draw(st.sampled_from(_SHAPES))
    types = ", ".join(draw(st.lists(inner, max_size=2)))
    return shape.format(path=path, types=types, other=draw(paths))


odd_functions = st.lists(st.one_of(words, st.sampled_from(_GLUE)), min_size=1, max_size=14).map(
    "".join
)
functions = st.one_of(realistic_functions(), odd_functions)

FILES = (
    None, "", "/build/src/main.cpp", "/rustc/0123/library/core/src/option.rs", "c:\\src\\a.cc",
    "hg:hg.example.com/main:gfx/a.cpp:0123", "git:github.com/x/y:src/libcore/option.rs:12",
    "git:github.com/x/y:src/libcore/panicking.rs:12", "src/lib.rs", "/", "s:/x/y.rs",
)  # fmt: skip
_MODULES = (None, "", "XUL", "xul.dll", "libxul.so", "KERNELBASE.dll", "libc.so.6", "[vdso]", "app")


texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120)
abort_messages = st.one_of(
    texts,
    st.builds("[1] ###!!! ABORT: {}: file {}, line 1".format, texts, texts),
    st.builds("###!!! ABORT: file {}".format, texts),
    st.builds("unable to find a usable font ({}) {}".format, texts, texts),
)
shutdown_timeouts = st.sampled_from(
    (
        "", "{}", "broken", '{"phase": "p"}', '{"phase": "p", "conditions": ["b", "a"]}', "[]", "1",
        '{"phase": "p", "conditions": [{"name": "z"}, "a"]}', '{"conditions": [{"x": 1}]}',
        '{"phase": 1, "conditions": null}', '{"conditions": 5}', '{"conditions": {"k": 1}}',
    )
)  # fmt: skip
java_stack_traces = st.one_of(
    st.builds("{}: {}\n\tat {}(A.java:12)\n\tat z".format, words, texts, words),
    st.builds("{}\n\tat {}(Native Method)".format, words, words),
    st.builds("{}: x@0123abcd {}\n{}".format, words, texts, texts),
    texts,
)
java_frames = st.fixed_dictionaries(
    {},
    optional={"module": words, "function": words, "filename": st.sampled_from(("A.java", ""))},
)
java_exceptions = st.fixed_dictionaries(
    {"frames": st.lists(java_frames, max_size=2)}, optional={"type": words, "module": words}
).map(lambda stack_trace: {"exception": {"values": [{"stacktrace": stack_trace}]}})


class CrashMaker:
    """Whole crashes from a seed: hypothesis would need seconds for some hundred of them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def crash(self) -> dict[str, Any]:
        options: dict[str, tuple[Any, ...]] = {
            "crashing_thread": (0, 1, None),
            "os": ("Windows NT", "Linux", "Mac OS X", None),
            "reason": (
                "SIGSEGV", "EXCEPTION_STACK_OVERFLOW", "STATUS_NO_MEMORY",
                "STATUS_DEVICE_DATA_ERROR",
            ),
            "oom_allocation_size": (None, 0, 1, 262_144, 262_145),
            "js_large_allocation_failure": ("Reporting", "Recovered"),
            "mdsw_status_string": ("OK", "MissingThreadList", None),
            "abort_message": (None, "hello", "[1] ###!!! ABORT: x: file y", "a\tb" * 30),
            "hang": (None, "ui", 1, 0),
            "async_shutdown_timeout": ("", '{"phase": "p", "conditions": ["b", "a"]}'),
            "ipc_channel_error": (None, "", "broken pipe", "x" * 101),
            "ipc_message_name": (None, "", "PContent::Msg_X"),
            "additional_minidumps": ([], ["upload_file_minidump_browser"]),
        }  # fmt: skip
        crash = {key: self._pick(values) for key, values in options.items() if self._chance(0.15)}
        crash["threads"] = [self._thread() for _ in range(self._random.randint(0, 2))]
        return crash

    def function(self, depth: int = 3) -> str:
        path = self._path()
        if not depth or self._chance(0.3):
            return path
        types = [self.function(depth - 1) for _ in range(self._random.randint(0, 2))]
        shape: str = self._pick(_SHAPES)
        return shape.format(path=path, types=", ".join(types), other=self._path())

    def _path(self) -> str:
        return "::".join(self._random.choices(_WORDS, k=self._random.randint(1, 3)))

    def _thread(self) -> dict[str, Any]:
        count = self._pick((0, 1, 3, 8, 50))
        thread = {"frames": [self._frame() for _ in range(count)]}
        if self._chance(0.2):
            thread["last_error_value"] = self._pick(("ERROR_SUCCESS", "ERROR_COMMITMENT_LIMIT"))
        return thread

    def _call(self) -> dict[str, Any]:
        return {
            "function": self.function() if self._chance(0.7) else None,
            "file": self._pick(FILES),
            "line": self._pick((None, 0, 1, 4711)),
        }

    def _frame(self) -> dict[str, Any]:
        frame = self._call() | {"module": self._pick(_MODULES)}
        if self._chance(0.6):
            frame["offset"] = f"0x{self._random.getrandbits(47):016x}"
        if self._chance(0.2):
            frame["inlines"] = [self._call() for _ in range(self._random.randint(0, 3))]
        if self._chance(0.1):
            frame["unloaded_modules"] = [{"module": "gone.dll", "offsets": ["0x1"]}]
        return frame

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _pick(self, values: Sequence[Any]) -> Any:
        return self._random.choice(values)
