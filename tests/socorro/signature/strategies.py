# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash data that hypothesis makes up: small, so that what disagrees is told in few words."""

from hypothesis import strategies as st

_WORDS = (
    "Foo", "bar", "std", "ns_x", "int", "const", "void", "static", "operator", "operator new",
    "operator bool", "operator->", "operator<", "operator()", "~Foo", "$_12", "<name omitted>",
    "`anonymous namespace'", "(anonymous namespace)", "{{closure}}", "{lambda(int)#1}", "h01ab",
    "[clone .cold.12]", "[clone .isra.0]", "IPC::ParamTraits", "js_Interpret", "memcpy", "impl$0",
)  # fmt: skip
_GLUE = (
    "", " ", "  ", "::", "::", "<", ">", "<<", ">>", "(", ")", "()", ", ", ",", " ,", " *", "*",
    "&", "&&", " const", " const&", " const &", "[", "]", "{", "}", "`", "'", " as ", " in ",
    "->", "~", "\n", "\t", "\u00e9",
)  # fmt: skip
_SHAPES = (
    "{path}", "{path}<{types}>", "{path}<{types}>::{other}", "{path}({types})",
    "{path}({types}) const", "{other} {path}({types})", "<{types} as {other}>::{path}",
    "{path}::{other}<{types}>({types}) const &", "static {other}<{types}>* {path}({other} *)",
    "{types}*", "{types} &", "{path}::h{{:x}}",
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
functions = st.one_of(realistic_functions(), odd_functions, st.text(max_size=20))

texts = st.text(max_size=120)
java_stack_traces = st.one_of(
    st.builds("{}: {}\n\tat {}(A.java:12)\n\tat z".format, words, texts, words),
    st.builds("{}\n\tat {}(Native Method)".format, words, words),
    st.builds("{}: x@0123abcd {}\n{}".format, words, texts, texts),
    texts,
)
_java_frames = st.fixed_dictionaries(
    {},
    optional={"module": words, "function": words, "filename": st.sampled_from(("A.java", ""))},
)
java_exceptions = st.fixed_dictionaries(
    {"frames": st.lists(_java_frames, max_size=2)}, optional={"type": words, "module": words}
).map(lambda stack_trace: {"exception": {"values": [{"stacktrace": stack_trace}]}})

abort_messages = st.one_of(
    texts,
    st.builds("[1] ###!!! ABORT: {}: file {}, line 1".format, texts, texts),
    st.builds("###!!! ABORT: file {}".format, texts),
    st.builds("unable to find a usable font ({}) {}".format, texts, texts),
)
names = st.one_of(st.none(), functions)
_calls = {
    "function": names,
    "file": st.sampled_from((None, "", "/a.rs", "c:\\a/b.c", "hg:h:x/y.rs:1", "a:b:c", "x/")),
    "line": st.sampled_from((None, 0, 7)),
}
frames = st.fixed_dictionaries(
    {},
    optional=_calls
    | {
        "module": st.sampled_from((None, "", "A.DLL", "a.dll", "[x]", "libb.so", "XUL")),
        "offset": st.one_of(st.none(), st.text("0x1aG- _", max_size=6)),
        "inlines": st.lists(st.fixed_dictionaries({}, optional=_calls), max_size=2),
        "unloaded_modules": st.lists(st.just({"module": "gone"}), max_size=1),
    },
)
crashes = st.fixed_dictionaries(
    {
        "threads": st.lists(
            st.fixed_dictionaries({"frames": st.lists(frames, max_size=6)}), max_size=2
        )
    },
    optional={
        "crashing_thread": st.one_of(st.none(), st.integers(-3, 3)),
        "os": st.sampled_from(("Windows NT", "Linux")),
        "abort_message": abort_messages,
        "hang": st.one_of(st.none(), st.integers(0, 1), texts),
        "ipc_channel_error": texts,
        "ipc_message_name": texts,
        "mdsw_status_string": texts,
        "oom_allocation_size": st.one_of(st.none(), st.integers(0, 300_000)),
    },
)
