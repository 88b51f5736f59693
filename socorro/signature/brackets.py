# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Brackets in function names: where they open and close, in one pass and without recursion."""

import re
from collections.abc import Callable

# A bracketed part: its start and end, brackets included, and whether it has its closing one.
Span = tuple[int, int, bool]

# What to write in place of the bracketed part text[start:end], from text, start, end and closed.
Replacement = Callable[[str, int, int, bool], str]

_PAIRS = {"<": re.compile("[<>]"), "(": re.compile("[()]"), "[": re.compile(r"[\[\]]")}

# What return types and arguments may hide spaces in; `anonymous namespace' is quoted like that.
_CLOSERS = {"(": ")", "{": "}", "[": "]", "<": ">", "`": "'"}
_OPENERS_BY_CLOSER = {closer: opener for opener, closer in _CLOSERS.items()}
_SPACE_OR_BRACKET = re.compile(r"[ (){}\[\]<>`']")

# A token that starts like this belongs to the name before it.
_CONTINUATIONS = ("(", "[clone")


def outermost(text: str, opener: str) -> list[Span]:
    """The outermost spans of one kind of bracket.

    A bracket that is never closed reaches to the end; a closing one too many is plain text.
    """
    spans: list[Span] = []
    depth = start = 0
    for bracket in _PAIRS[opener].finditer(text):
        if bracket[0] == opener:
            if not depth:
                start = bracket.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                spans.append((start, bracket.end(), True))
    if depth:
        spans.append((start, len(text), False))
    return spans


def rewrite(text: str, opener: str, replacement: Replacement) -> str:
    """The text with what `replacement` gives in place of each outermost span."""
    if opener not in text:
        return text
    pieces = []
    position = 0
    for start, end, closed in outermost(text, opener):
        pieces.append(text[position:start])
        pieces.append(replacement(text, start, end, closed))
        position = end
    pieces.append(text[position:])
    return "".join(pieces)


def remove(text: str, opener: str) -> str:
    """The text without its outermost spans of one kind of bracket."""
    return rewrite(text, opener, lambda *_span: "")


def last_token(text: str) -> str:
    """What follows the last space outside of brackets: a name without modifiers and return type.

    Parts that start with "(" or "[clone" stay with what stands before them: "f (int)".
    """
    if " " not in text:
        return text
    spaces = _spaces_outside_brackets(text)
    end = len(text)
    if spaces and spaces[-1] == end - 1:
        end = spaces.pop()
    start = spaces.pop() + 1 if spaces else 0
    while start and text.startswith(_CONTINUATIONS, start, end):
        start = spaces.pop() + 1 if spaces else 0
    return text[start:end]


def _spaces_outside_brackets(text: str) -> list[int]:
    spaces = []
    open_brackets: list[str] = []
    for match in _SPACE_OR_BRACKET.finditer(text):
        character = match[0]
        if character == " ":
            if not open_brackets:
                spaces.append(match.start())
        elif character in _CLOSERS:
            open_brackets.append(character)
        elif open_brackets and open_brackets[-1] == _OPENERS_BY_CLOSER[character]:
            open_brackets.pop()
    return spaces
