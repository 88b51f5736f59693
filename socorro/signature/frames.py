# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Frames of a stack, inlined functions included, and the name each one gets."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from socorro.signature import cpp, rust
from socorro.signature.crash_data import as_list, as_object, as_text
from socorro.signature.errors import CrashDataError
from socorro.signature.lists import ListLine, SignatureLists

MAX_FRAMES = 40

# Function names beyond these are cut. All names of a stack share one budget, so that a crash of
# nothing but huge names costs little; the names of real stacks stay far below it.
_MAX_NAME_CHARS = 65_536
_NAME_BUDGET_CHARS = 65_536
_MIN_NAME_CHARS = 1_024

# Names are remembered: the same functions come with every crash. Only short ones in ASCII are, and
# when there are too many all are forgotten, so that hostile crashes cannot fill the memory.
_REMEMBERED_NAME_CHARS = 512
_REMEMBERED_NAMES = 32_768

_MAX_OFFSET_CHARS = 64

_SPACE_BEFORE_PUNCTUATION = re.compile(r" (?=[*&,])")
_COMMA_WITHOUT_SPACE = re.compile(r",(?! )")


class Name(NamedTuple):
    """What a frame is called.

    `text` is what it was normalised to ("" for nothing), `given` its function as it came ("" if
    it has none), `line_numbers` the line of the list that asks for its line number.
    """

    text: str
    given: str = ""
    line_numbers: ListLine | None = None


def names(thread: Mapping[str, Any], *, windows: bool, lists: SignatureLists) -> list[Name]:
    """The names of the first 40 frames of a thread, inlined functions counted as frames.

    Raises CrashDataError for a malformed frame among them, with its key within the thread.
    """
    stack = _Stack(windows, lists)
    for number, frame in enumerate(as_list(thread.get("frames"), "frames")[:MAX_FRAMES]):
        if len(stack.names) >= MAX_FRAMES:
            break
        try:
            stack.add(frame if type(frame) is dict else as_object(frame, ""))
        except CrashDataError as error:
            raise error.within(f"frames[{number}]") from None
    return stack.names[:MAX_FRAMES]


class _Stack:
    """The names of a stack as it is read, innermost first."""

    def __init__(self, windows: bool, lists: SignatureLists) -> None:
        self.names: list[Name] = []
        self._windows = windows
        self._functions = function_names(lists)
        self._budget = _NAME_BUDGET_CHARS

    def add(self, frame: Mapping[str, Any]) -> None:
        """Add a frame, and before it the calls that the compiler inlined into it."""
        inlines = frame.get("inlines")
        if inlines:
            # They are at the same address of the same module.
            shared = {"module": frame.get("module"), "offset": frame.get("offset")}
            for number, inline in enumerate(as_list(inlines, "inlines")[:MAX_FRAMES]):
                try:
                    self._add_call(as_object(inline, ""), shared)
                except CrashDataError as error:
                    raise error.within(f"inlines[{number}]") from None
        self._add_call(frame, frame)

    def _add_call(self, call: Mapping[str, Any], frame: Mapping[str, Any]) -> None:
        """The best name there is: function, file and line, module, unloaded module, or address."""
        function, file = call.get("function"), call.get("file")
        try:
            name = self._functions.known.get((function, file))
        except TypeError:  # a list or an object, which cannot be a key
            name = None
        self.names.append(name or self._name(call, frame))

    def _name(self, call: Mapping[str, Any], frame: Mapping[str, Any]) -> Name:
        file = as_text(call.get("file"), "file")
        function = as_text(call.get("function"), "function", _MAX_NAME_CHARS)
        if function:
            return self._function_name(function, file, call)
        line = _line(call)
        if file and call.get("line"):
            return Name(f"{_base_name(file)}#{line}")
        return Name(self._place(frame))

    def _function_name(self, function: str, file: str, call: Mapping[str, Any]) -> Name:
        if len(function) > _REMEMBERED_NAME_CHARS:
            function = function[: max(self._budget, _MIN_NAME_CHARS)]
            self._budget -= len(function)
        name = self._functions.name(function, file)
        if name.line_numbers:
            return name._replace(text=_spaced(f"{name.text}:{_line(call)}"))
        self._functions.remember(call, name)
        return name

    def _place(self, frame: Mapping[str, Any]) -> str:
        module = as_text(frame.get("module"), "module", _MIN_NAME_CHARS)
        if module:
            return (module.lower() if self._windows else module).strip("[]")
        return _unloaded_module(frame) or _address(frame)


class FunctionNames:
    """The names of functions by their languages, and by which of them want their line number.

    `known` has names by the function and the file as crashes have them.
    """

    def __init__(self, lists: SignatureLists) -> None:
        self._line_numbers = lists.line_numbers
        self.known: dict[tuple[Any, Any], Name] = {}

    def remember(self, call: Mapping[str, Any], name: Name) -> None:
        """Keep the name for the next crash with that function, if it is a usual one."""
        function, file = call["function"], call.get("file")
        both = function + (file or "")
        if len(both) > _REMEMBERED_NAME_CHARS or not both.isascii():
            return
        if len(self.known) >= _REMEMBERED_NAMES:
            self.known.clear()
        self.known[function, file] = name

    def name(self, function: str, file: str) -> Name:
        """The name of a function; one that wants its line number lacks the last touch."""
        source = source_path(file)
        collapsed, finish = function, _spaced
        if source:
            collapsed = rust.qualified_panic(function, source)
        if source.endswith(".rs"):
            collapsed, finish = rust.collapse(collapsed), _finished_rust
        else:
            collapsed = cpp.collapse(collapsed)
        given = function[:_MIN_NAME_CHARS]
        wanted = self._line_numbers.search(collapsed)
        if wanted:
            return Name(collapsed, given, wanted)
        return Name(finish(collapsed), given)


@lru_cache(8)
def function_names(lists: SignatureLists) -> FunctionNames:
    return FunctionNames(lists)


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


def _finished_rust(name: str) -> str:
    return rust.without_hash(_spaced(name))


def _line(call: Mapping[str, Any]) -> str:
    """The line number as text, cut: JSON can bring integers of thousands of digits."""
    line = call.get("line")
    if line is not None and not isinstance(line, (int, str)):
        raise CrashDataError("line", "an integer or null")
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
    name = as_object(modules[0], "unloaded_modules[0]").get("module")
    if name is not None:
        name = as_text(name, "unloaded_modules[0].module", _MIN_NAME_CHARS)
    # "None" is what the field has always called a module without a name.
    return f"(unloaded {name})"


def _address(frame: Mapping[str, Any]) -> str:
    offset = as_text(frame.get("offset"), "offset", _MAX_OFFSET_CHARS)
    if not offset:
        return ""
    try:
        return f"@{int(offset, 16):#x}"
    except ValueError:
        return f"@{offset}"
