# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Brackets in function names: where they open and close, in one pass and without recursion.

Every function name of every crash comes through here, so the scanning is left to the string
methods and the regular expressions of the standard library.
"""

import re
from collections.abc import Callable, Iterator

# A bracketed part: its start and end, brackets included, and whether it has its closing one.
Span = tuple[int, int, bool]

# What to write in place of the bracketed part text[start:end], from text, start, end and closed.
Replacement = Callable[[str, int, int, bool], str]

_CLOSER = {"<": ">", "(": ")", "[": "]"}

# What return types and arguments may hide spaces in; `anonymous namespace' is quoted like that.
_CLOSER_AROUND_SPACES = _CLOSER | {"{": "}", "`": "'"}
_SPACE_OR_BRACKET = re.compile(r"[ (){}\[\]<>`']")

# A token that starts like this belongs to the name before it.
_CONTINUATIONS = ("(", "[clone")


def outermost(text: str, opener: str) -> Iterator[Span]:
    """The outermost spans of one kind of bracket.

    A bracket that is never closed reaches to the end; a closing one too many is plain text.
    """
    closer = _CLOSER[opener]
    start = text.find(opener)
    while start >= 0:
        # Each step jumps to the next closing bracket, and counts what was opened on the way.
        unclosed, position = 1, start
        while unclosed:
            found = text.find(closer, position + 1)
            if found < 0:
                yield start, len(text), False
                return
            unclosed += text.count(opener, position + 1, found) - 1
            position = found
        yield start, position + 1, True
        start = text.find(opener, position + 1)


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
    words = text.split(" ")
    starts = _token_starts(text)
    if len(starts) > 1 and starts[-1] == len(words) - 1 and not words[-1]:
        words.pop()  # the text ends with a space
        starts.pop()
    start = starts.pop()
    while start and words[start].startswith(_CONTINUATIONS):
        start = starts.pop()
    return " ".join(words[start:])


def _token_starts(text: str) -> list[int]:
    """The words, counted from 0, that follow a space outside of brackets; the first one does."""
    starts = [0]
    word = 0
    awaited: list[str] = []
    for character in _SPACE_OR_BRACKET.findall(text):
        if character == " ":
            word += 1
            if not awaited:
                starts.append(word)
        elif character in _CLOSER_AROUND_SPACES:
            awaited.append(_CLOSER_AROUND_SPACES[character])
        elif awaited and awaited[-1] == character:
            awaited.pop()
    return starts
