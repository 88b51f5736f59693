# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The dialect of regular expressions in searches: what every engine can honour.

A pattern is for the whole value. It has `.`, classes, groups, `|`, and the repetitions `*`, `+`,
`?` and `{n,m}`; `\\d`, `\\w`, `\\s` and their capitals stand for ASCII characters; `(?i)` in front
ignores case; `^` in front and `$` at the end are allowed and change nothing. What means one thing
in one engine and another elsewhere is refused with a sentence, not guessed.
"""

import re

from socorro.search.query import QueryError

MAX_LENGTH = 1000

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": "\\t\\n\\x0B\\x0C\\r\\x20"}
_CONTROLS = {"n": "\\n", "t": "\\t", "r": "\\r"}
_REPETITION = re.compile(r"\{[0-9]{1,3}(,[0-9]{0,3})?\}")
_INTERVAL = re.compile(r"<[0-9]+-[0-9]+>")
_META = frozenset("\\.+*?()|[]{}^$#&-~")
# These make a complement, an intersection, any text or nothing in Lucene's syntax.
_REFUSED = frozenset("~&@#")


def escape(text: str) -> str:
    """Return a pattern that matches this text and nothing else."""
    return "".join(f"\\{character}" if character in _META else character for character in text)


def check_length(text: str) -> str:
    """Return the text of a pattern or of a part to look for. Raises QueryError if it is long."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"A search pattern can have {MAX_LENGTH:,} characters at most.")
    return text


def translate(pattern: str) -> str:
    """Return the pattern in the syntax of Rust's regex and RE2. Raises QueryError."""
    check_length(pattern)
    flags = "(?s)"
    if pattern.startswith("(?i)"):
        flags, pattern = "(?si)", pattern[4:]
    pattern = pattern.removeprefix("^")
    if pattern.endswith("$") and not _is_escaped(pattern, len(pattern) - 1):
        pattern = pattern[:-1]
    return flags + _Translation(pattern).run()


def _is_escaped(pattern: str, position: int) -> bool:
    before = pattern[:position]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


class _Translation:
    """One pass over a pattern, character by character."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0

    def run(self) -> str:
        parts = []
        while self._position < len(self._pattern):
            parts.append(self._next())
        return "".join(parts)

    def _next(self) -> str:
        rest = self._pattern[self._position :]
        character = rest[0]
        if character == "\\":
            return self._escape(in_class=False)
        if character == "[":
            return self._class()
        self._position += 1
        if character in _REFUSED or _INTERVAL.match(rest):
            raise QueryError(
                f"{character!r} has a meaning of its own in some search engines: write"
                f" \\{character} for the character itself."
            )
        if rest.startswith("(?") and not rest.startswith("(?:"):
            raise QueryError("Groups that begin with (? are not supported, but for (?:...).")
        if character == "{":
            return self._repetition(rest)
        return f"\\{character}" if character in "}]^$" else character

    def _repetition(self, rest: str) -> str:
        match = _REPETITION.match(rest)
        if not match:
            raise QueryError("'{' begins a repetition such as {3} or {1,5}: write \\{ for itself.")
        self._position += match.end() - 1
        return match.group()

    def _escape(self, in_class: bool) -> str:
        character = self._pattern[self._position + 1 : self._position + 2]
        self._position += 2
        if not character:
            raise QueryError("The pattern ends with a backslash.")
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character in _CLASSES:
            return _CLASSES[character] if in_class else f"[{_CLASSES[character]}]"
        if character.lower() in _CLASSES and not in_class:
            return f"[^{_CLASSES[character.lower()]}]"
        if character.isascii() and character.isalnum():
            raise QueryError(f"\\{character} is not supported in a search pattern.")
        return escape(character)

    def _class(self) -> str:
        self._position += 1
        parts = ["["]
        if self._pattern.startswith("^", self._position):
            parts.append("^")
            self._position += 1
        start = self._position
        while self._position < len(self._pattern):
            character = self._pattern[self._position]
            if character == "]" and self._position > start:
                self._position += 1
                return "".join(parts) + "]"
            if character == "\\":
                parts.append(self._escape(in_class=True))
                continue
            self._position += 1
            parts.append(character if character == "-" else escape(character))
        raise QueryError("A class that begins with '[' has no end.")
