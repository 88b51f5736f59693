# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Checks of a folder of signature lists, for those who edit it.

An error is a line that cannot be used, or an example that does not hold. A warning is a line that
does nothing, or is not where one looks for it; lists that do not keep to our conventions (groups,
sorted lines, examples) work all the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from socorro.signature import cpp, rust
from socorro.signature.errors import ListError
from socorro.signature.list_groups import Example, Group, ListFile, read
from socorro.signature.lists import (
    IRRELEVANT,
    LINE_NUMBERS,
    PREFIX,
    SENTINELS,
    TRIM_DLL,
    ListLine,
    PatternList,
)

_PATTERN_FILES = (IRRELEVANT, PREFIX, LINE_NUMBERS, TRIM_DLL)
_ALL_FILES = (SENTINELS, *_PATTERN_FILES)

# What a pattern for some functions cannot match all of.
_UNRELATED_NAMES = ("zqxjk", "Zqxjk<T>::Vwpf", "_zqxjk_", "libzqxjk.so")
# No pattern asks for this, so one that matches a name with it behind matches all longer names.
_CONTINUATION = "\ue000"

_ESCAPED_PUNCTUATION = re.compile(r"\\([^0-9A-Za-z])")
_OPERATOR = re.compile(r"[.^$*+?{}\[\]()|\\]")


class Severity(StrEnum):
    """Whether the lists cannot be used as they are, or could be better."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line of a list; `line` is 0 where it is the file or the folder."""

    path: Path
    line: int
    reason: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.severity}: {self.reason}"


class _Patterns:
    """The lines of a list that are patterns, one by one and together."""

    def __init__(self, path: Path, each: Mapping[ListLine, PatternList]) -> None:
        self.each = each
        self._forwards = PatternList(path, list(each))
        self._backwards = PatternList(path, list(each)[::-1])

    def first_match(self, name: str) -> ListLine | None:
        return self._forwards.match(name)

    def match_of_all(self, names: Sequence[str], but: ListLine | None = None) -> ListLine | None:
        """The first line that matches all of the names; lines with the text of `but` do not count.

        None if there are no names.
        """
        if not names:
            return None
        # Nearly always, the first and the last line that match are the one in question.
        if {self._forwards.match(names[0]), self._backwards.match(names[0])} <= {but, None}:
            return None
        for line, pattern in self.each.items():
            if (not but or line.text != but.text) and all(pattern.match(name) for name in names):
                return line
        return None


def check(folder: Path) -> list[Problem]:
    """All that is wrong with the lists of a folder, by file and line."""
    if not folder.is_dir():
        return [Problem(folder, 0, "there is no such folder")]
    problems = list(_unknown_files(folder))
    files: dict[str, ListFile] = {}
    for name in _ALL_FILES:
        try:
            files[name] = read(folder / name)
        except OSError as error:
            files[name] = ListFile(folder / name)
            problems.append(Problem(folder / name, 0, error.strerror or "it cannot be read"))
    compiled: dict[str, _Patterns] = {}
    for name in _PATTERN_FILES:
        compiled[name], bad = _compile(files[name])
        problems.extend(bad)
    for file in files.values():
        problems.extend(_check_text(file))
    for name, patterns in compiled.items():
        problems.extend(_check_patterns(files[name], patterns))
    irrelevant = compiled[IRRELEVANT]
    problems.extend(_check_prefixes(files[PREFIX], irrelevant))
    problems.extend(_check_sentinels(files[SENTINELS], irrelevant))
    return sorted(problems, key=lambda problem: (problem.path, problem.line))


def _warning(file: ListFile, line: int, reason: str) -> Problem:
    return Problem(file.path, line, reason, Severity.WARNING)


def _unknown_files(folder: Path) -> Iterator[Problem]:
    """Files that look as if somebody meant them to be lists."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    for name in names:
        if name in _ALL_FILES:
            continue
        similar = get_close_matches(name, _ALL_FILES, 1, 0.8)
        if similar or name.endswith(".txt"):
            meant = f"; is {similar[0]} meant?" if similar else ""
            yield Problem(folder / name, 0, f"no list has this name{meant}", Severity.WARNING)
    if not set(names) & set(_ALL_FILES):
        yield Problem(folder, 0, "there is no list in this folder", Severity.WARNING)


def _compile(file: ListFile) -> tuple[_Patterns, list[Problem]]:
    compiled: dict[ListLine, PatternList] = {}
    bad: list[Problem] = []
    for line in file.lines:
        try:
            compiled[line] = PatternList(file.path, [line])
        except ListError as error:
            bad.append(Problem(file.path, line.line, error.reason))
    return _Patterns(file.path, compiled), bad


def _check_text(file: ListFile) -> Iterator[Problem]:
    """What can be said of the lines without knowing what they mean."""
    for number in file.not_utf_8:
        yield Problem(file.path, number, "it is not UTF-8")
    first: dict[str, int] = {}
    for line in file.lines:
        if line.text in first:
            yield _warning(file, line.line, f"the same as line {first[line.text]}")
        first.setdefault(line.text, line.line)
    for group in file.groups:
        yield from _check_order(file, group)
        for example in group.examples:
            normalised = _as_normalised(example.name)
            if normalised != example.name:
                yield Problem(file.path, example.line, _never_called(example.name, normalised))


def _check_order(file: ListFile, group: Group) -> Iterator[Problem]:
    """The first line of a group that is not where it belongs: once is enough to see it."""
    for before, line in zip(group.lines, group.lines[1:], strict=False):
        if line.text < before.text:
            reason = f"not sorted: it belongs before line {before.line}, {before.text}"
            yield _warning(file, line.line, reason)
            return


def _check_patterns(file: ListFile, patterns: _Patterns) -> Iterator[Problem]:
    for line, pattern in patterns.each.items():
        names = _plain_names(line.text)
        other = patterns.match_of_all(names, but=line)
        if all(pattern.match(name) for name in _UNRELATED_NAMES):
            yield Problem(file.path, line.line, f"{line.text!r} matches every name")
        elif other:
            reason = f"line {other.line}, {other.text}, matches the same names"
            yield _warning(file, line.line, f"it changes nothing: {reason}")
    for group in file.groups:
        usable = PatternList(file.path, [line for line in group.lines if line in patterns.each])
        for example in group.examples:
            yield from _check_example(file, example, usable.match(example.name))


def _check_example(file: ListFile, example: Example, match: ListLine | None) -> Iterator[Problem]:
    if example.wanted and not match:
        yield Problem(file.path, example.line, f"no line of the group matches {example.name}")
    if match and not example.wanted:
        reason = f"line {match.line}, {match.text}, matches {example.name}, and must not"
        yield Problem(file.path, example.line, reason)


def _check_prefixes(file: ListFile, irrelevant: _Patterns) -> Iterator[Problem]:
    """Whether frames come as far as to the prefixes: irrelevant ones are skipped before."""
    for line in file.lines:
        skips = irrelevant.match_of_all(_plain_names(line.text))
        if skips:
            yield _warning(file, line.line, f"it never matters: {_skipped_by(skips)}")
    for group in file.groups:
        for example in group.examples:
            match = irrelevant.first_match(example.name) if example.wanted else None
            if match:
                reason = f"{example.name} is no prefix: {_skipped_by(match)}"
                yield Problem(file.path, example.line, reason)


def _check_sentinels(file: ListFile, irrelevant: _Patterns) -> Iterator[Problem]:
    for line in file.lines:
        normalised = _as_normalised(line.text)
        if normalised != line.text:
            yield _warning(file, line.line, _never_called(line.text, normalised))
        match = irrelevant.first_match(line.text)
        if match:
            reason = f"the signature starts behind it: {_skipped_by(match)}"
            yield _warning(file, line.line, reason)
    for group in file.groups:
        names = {line.text: line for line in group.lines}
        for example in group.examples:
            yield from _check_example(file, example, names.get(example.name))


def _skipped_by(line: ListLine) -> str:
    return f"the frame is skipped by {line.file}:{line.line}, {line.text}"


def _plain_names(pattern: str) -> list[str]:
    """Names that stand for all that a pattern without operators matches; none for other ones."""
    exact = pattern.endswith("$") and not pattern.endswith("\\$")
    body = pattern[:-1] if exact else pattern
    if _OPERATOR.search(_ESCAPED_PUNCTUATION.sub("", body)):
        return []
    name = _ESCAPED_PUNCTUATION.sub(r"\1", body)
    return [name] if exact else [name, name + _CONTINUATION]


def _never_called(name: str, normalised: str) -> str:
    return f"no frame is called {name}: as a function it would be {normalised!r}"


def _as_normalised(name: str) -> str:
    """The name as frames have it: itself, unless it still has what functions lose."""
    if name.startswith(("(unloaded ", "@0x")) or not any(bracket in name for bracket in "(<["):
        return name
    as_function = cpp.collapse(name)
    return name if name in (as_function, rust.collapse(name)) else as_function
