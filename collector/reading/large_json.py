# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""JSON objects too large to be built in memory: where their members are, and that they are JSON."""

import json
import mmap
import re
from collections.abc import Iterator
from typing import NamedTuple

from collector.refusal import Refused

# Of one report. A million empty lists would take far more time and memory than they take bytes.
_MAX_TOKENS = 200_000
# What is in a string. Bounded repeats, since the expression's engine remembers each turn.
_STRING_PIECE = re.compile(
    rb'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*){0,200}'
)
_STRUCTURE = re.compile(rb'["\[{\]},]')
_SPACE = re.compile(rb"[ \t\r\n]*")
# Bytes of the text that are in memory at once, but for a string without any escapes.
_RESIDENT = 256 * 1024
_BAD = "invalid_json"
_QUOTE, _BACKSLASH = ord('"'), ord("\\")


class Member(NamedTuple):
    """A member of an object: the name's bytes and the value's, in UTF-8, as they are sent.

    `value_start` and `value_end` are where the value is in the text; `is_text` says that it is a
    string, which was checked to the last escape.
    """

    name: bytes
    value_start: int
    value_end: int
    is_text: bool


class Tokens:
    """Counts strings, brackets and commas of one report. `take` raises Refused for too many."""

    def __init__(self) -> None:
        self._left = _MAX_TOKENS

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Refused(_BAD)


def members_of(
    text: mmap.mmap, start: int, *, max_depth: int, max_name: int, tokens: Tokens
) -> Iterator[Member]:
    """Yield the members of the object that `text` is from `start` to its end.

    A value that is no string is only known to end where it does. Raises Refused for what is no
    JSON object, too deep or of too many values, and for a name of more than `max_name` bytes.
    """
    scanner = _Scanner(text, max_depth, tokens)
    position = _after_space(text, start)
    if text[position : position + 1] != b"{":
        scanner.value_end(position)
        raise Refused("invalid_json_value")
    position = _after_space(text, position + 1)
    first = True
    while text[position : position + 1] != b"}" or not first:
        first = False
        name_start, name_end = position, scanner.string_end(position)
        if name_end - name_start > max_name:
            raise Refused("annotations_too_large", 413)
        position = _after_space(text, name_end)
        _expect(text, position, b":")
        position = _after_space(text, position + 1)
        end = scanner.value_end(position)
        is_text = text[position] == _QUOTE
        yield Member(bytes(text[name_start:name_end]), position, end, is_text)
        position = _after_space(text, end)
        if text[position : position + 1] == b"}":
            break
        _expect(text, position, b",")
        position = _after_space(text, position + 1)
    if _after_space(text, position + 1) != len(text):
        raise Refused(_BAD)


def head_of_string(text: mmap.mmap, start: int, size: int) -> str:
    """Return the begin of the string that begins at `start`: of `size` bytes of it."""
    piece = text[start + 1 : start + 1 + size]
    whole = piece[: _passed(_STRING_PIECE, piece, 0)].decode("utf-8", "ignore")
    loaded: str = json.loads(f'"{whole}"')
    return loaded


class _Scanner:
    def __init__(self, text: mmap.mmap, max_depth: int, tokens: Tokens) -> None:
        self._text = text
        self._max_depth = max_depth
        self._tokens = tokens
        self._given_back = 0

    def string_end(self, start: int) -> int:
        """Return where the string that begins at `start` ends; each escape in it is right."""
        _expect(self._text, start, b'"')
        self._tokens.take()
        position = start + 1
        while True:
            before, position = position, _passed(_STRING_PIECE, self._text, position)
            self._give_back(position)
            byte = self._text[position] if position < len(self._text) else None
            if byte == _QUOTE:
                return position + 1
            if byte != _BACKSLASH or position == before:
                raise Refused(_BAD)

    def value_end(self, start: int) -> int:
        """Return where the value that begins at `start` ends: before a comma or a bracket."""
        if self._text[start : start + 1] == b'"':
            return self.string_end(start)
        depth, position = 1, start
        while match := _STRUCTURE.search(self._text, position):
            token = match[0]
            if token == b'"':
                position = self.string_end(match.start())
                continue
            self._tokens.take()
            position = match.end()
            self._give_back(position)
            if token in b"[{":
                depth += 1
                if depth > self._max_depth:
                    raise Refused(_BAD)
            elif depth == 1:
                # Numbers and such have no end of their own.
                return match.start()
            elif token in b"]}":
                depth -= 1
                if depth == 1:
                    return position
        raise Refused(_BAD)

    def _give_back(self, position: int) -> None:
        """Take what lies before `position` out of this process's memory; the file keeps it."""
        if position - self._given_back >= _RESIDENT:
            self._text.madvise(mmap.MADV_DONTNEED, 0, position - position % mmap.PAGESIZE)
            self._given_back = position


def _after_space(text: mmap.mmap, position: int) -> int:
    return _passed(_SPACE, text, position)


def _passed(pattern: re.Pattern[bytes], text: bytes | mmap.mmap, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _expect(text: mmap.mmap, position: int, what: bytes) -> None:
    if text[position : position + 1] != what:
        raise Refused(_BAD)
