# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Frames of a stack, inlined functions included, and the name each one gets."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from socorro.signature import cpp, rust
from socorro.signature.crash_data import as_list, as_object, as_text
from socorro.signature.errors import CrashDataError
from socorro.signature.lists import ListLine, SignatureLists

MAX_FRAMES = 40

# Function names beyond these are cut. All names of a stack share one budget, so that a crash of
# nothing but huge names costs little; the names of real stacks stay far below it.
_MAX_NAME_CHARS = 16_384
_NAME_BUDGET_CHARS = 65_536
_MIN_NAME_CHARS = 1_024

# Collapsed names are remembered, as in `lists`: the same functions come with every crash. What
# was cut is longer than this, so that it is not.
_CACHED_NAME_CHARS = 768
_CACHE_ENTRIES = 32_768

_MAX_OFFSET_CHARS = 64

_SPACE_BEFORE_PUNCTUATION = re.compile(r" (?=[*&,])")
_COMMA_WITHOUT_SPACE = re.compile(r",(?! )")


class Name(NamedTuple):
    """What a frame was normalised to ("" for nothing), and what asked for its line number."""

    text: str
    line_numbers: ListLine | None = None


class _Call(NamedTuple):
    """A function call: of a real frame, or of one that the compiler inlined into it."""

    function: str
    file: str
    line: int | str | None
    frame: Mapping[str, Any]


def names(thread: Mapping[str, Any], *, windows: bool, lists: SignatureLists) -> list[Name]:
    """The names of the first 40 frames of a thread, inlined functions counted as frames.

    Raises CrashDataError for a malformed frame among them, with its key within the thread.
    """
    found: list[Name] = []
    budget = _NAME_BUDGET_CHARS
    for number, frame in enumerate(as_list(thread.get("frames"), "frames")):
        try:
            for call in _calls(as_object(frame, "")):
                function = call.function[: max(budget, _MIN_NAME_CHARS)]
                budget -= len(function)
                found.append(_name(call._replace(function=function), windows, lists))
                if len(found) == MAX_FRAMES:
                    return found
        except CrashDataError as error:
            raise error.within(f"frames[{number}]") from None
    return found


def _calls(frame: Mapping[str, Any]) -> Iterator[_Call]:
    """The calls of a frame, innermost first; inlined ones share its module and address."""
    inlines = frame.get("inlines")
    if inlines:
        shared = {"module": frame.get("module"), "offset": frame.get("offset")}
        for number, inline in enumerate(as_list(inlines, "inlines")):
            try:
                yield _call(as_object(inline, ""), shared)
            except CrashDataError as error:
                raise error.within(f"inlines[{number}]") from None
    yield _call(frame, frame)


def _call(raw: Mapping[str, Any], frame: Mapping[str, Any]) -> _Call:
    line = raw.get("line")
    if line is not None and not isinstance(line, (int, str)):
        raise CrashDataError("line", "an integer or null")
    function = as_text(raw.get("function"), "function", _MAX_NAME_CHARS)
    return _Call(function, as_text(raw.get("file"), "file"), line, frame)


def _name(call: _Call, windows: bool, lists: SignatureLists) -> Name:
    """The best name there is: function, file and line, module, unloaded module, or address."""
    if call.function:
        return _function_name(call, lists)
    if call.file and call.line:
        return Name(f"{_base_name(call.file)}#{_line(call.line)}")
    module = as_text(call.frame.get("module"), "module", _MIN_NAME_CHARS)
    if module:
        return Name((module.lower() if windows else module).strip("[]"))
    unloaded = _unloaded_module(call.frame)
    if unloaded:
        return Name(f"(unloaded {unloaded})")
    return Name(_address(call.frame))


def _function_name(call: _Call, lists: SignatureLists) -> Name:
    source = source_path(call.file)
    is_rust = source.endswith(".rs")
    function = rust.qualified_panic(call.function, source)
    if len(function) > _CACHED_NAME_CHARS:
        collapsed = collapse.__wrapped__(function, is_rust)
    else:
        collapsed = collapse(function, is_rust)
    wanted = lists.line_numbers.match(collapsed.text)
    if wanted:
        return Name(_spaced(f"{collapsed.text}:{_line(call.line)}"), wanted)
    return Name(collapsed.spaced)


class Collapsed(NamedTuple):
    """A function's name without types and arguments, as it is matched and as it is shown."""

    text: str
    spaced: str


@lru_cache(_CACHE_ENTRIES)
def collapse(function: str, is_rust: bool) -> Collapsed:
    """A function's name by the rules of its language."""
    if is_rust:
        text = rust.collapse(function)
        return Collapsed(text, rust.without_hash(_spaced(text)))
    text = cpp.collapse(function)
    return Collapsed(text, _spaced(text))


def source_path(file: str) -> str:
    """The path within the source tree, "" for none.

    Symbol files name files of a repository like "hg:hg.example.com/project:dom/base/File.cpp:rev";
    other names count if they are absolute.
    """
    if not file:
        return ""
    parts = file.split(":", 4)
    if len(parts) == 4:
        return parts[2]
    if len(parts) == 2:
        return parts[1]
    return file if file.startswith("/") else ""


def _spaced(name: str) -> str:
    if " " in name:
        name = _SPACE_BEFORE_PUNCTUATION.sub("", name)
    if "," in name:
        name = _COMMA_WITHOUT_SPACE.sub(", ", name)
    return name


def _line(line: int | str | None) -> str:
    """A line number as text, cut: JSON can bring integers of thousands of digits."""
    if isinstance(line, int) and abs(line) >= 2**63:
        return "?"
    return str(line)[:20]


def _base_name(file: str) -> str:
    path = file.rstrip("/\\")
    return path.rpartition("\\" if "\\" in path else "/")[2]


def _unloaded_module(frame: Mapping[str, Any]) -> str:
    modules = as_list(frame.get("unloaded_modules"), "unloaded_modules")
    if not modules:
        return ""
    first = as_object(modules[0], "unloaded_modules[0]")
    return as_text(first.get("module"), "unloaded_modules[0].module", _MIN_NAME_CHARS)


def _address(frame: Mapping[str, Any]) -> str:
    offset = as_text(frame.get("offset"), "offset", _MAX_OFFSET_CHARS)
    if not offset:
        return ""
    try:
        return f"@{int(offset, 16):#x}"
    except ValueError:
        return f"@{offset}"
