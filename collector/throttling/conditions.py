# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Conditions of throttle rules: what they ask of a report's annotations.

A report may hold anything, so no condition raises, whatever it meets; what cannot be compared does
not match.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

RawCrash = Mapping[str, Any]
Condition = Callable[[RawCrash], bool]
# What a condition asks of one value; the value is as the client sent it.
Test = Callable[[Any], bool]

_BUILD_ID = re.compile(r"20[0-9]{12}", re.ASCII)
# More would take long, and much memory; a real TelemetryEnvironment has some hundred thousand.
_MAX_JSON = 2**20


class _Missing:
    """Stands for a value that is not there; None is one."""


_MISSING = _Missing()


def always(raw_crash: RawCrash) -> bool:  # noqa: ARG001
    """Match every report."""
    return True


@dataclass(frozen=True)
class AllOf:
    """Matches what every one of its conditions matches."""

    conditions: tuple[Condition, ...]

    def __call__(self, raw_crash: RawCrash) -> bool:
        """Say whether a report matches."""
        return all(condition(raw_crash) for condition in self.conditions)


@dataclass(frozen=True)
class AnyOf:
    """Matches what one of its conditions matches."""

    conditions: tuple[Condition, ...]

    def __call__(self, raw_crash: RawCrash) -> bool:
        """Say whether a report matches."""
        return any(condition(raw_crash) for condition in self.conditions)


@dataclass(frozen=True)
class Not:
    """Matches what its condition does not match."""

    condition: Condition

    def __call__(self, raw_crash: RawCrash) -> bool:
        """Say whether a report matches."""
        return not self.condition(raw_crash)


@dataclass(frozen=True)
class Present:
    """Matches a report that has an annotation, whatever its value."""

    annotation: str

    def __call__(self, raw_crash: RawCrash) -> bool:
        """Say whether a report matches."""
        return self.annotation in raw_crash


@dataclass(frozen=True)
class Asks:
    """Matches a report that has an annotation whose value passes all tests.

    With `path`, the annotation is JSON, and the value is the one at those keys in it.
    """

    annotation: str
    path: tuple[str, ...]
    tests: tuple[Test, ...]

    def __call__(self, raw_crash: RawCrash) -> bool:
        """Say whether a report matches."""
        value = raw_crash.get(self.annotation, _MISSING)
        if self.path and value is not _MISSING:
            value = _at(value, self.path)
        return value is not _MISSING and all(test(value) for test in self.tests)


def equals(expected: str) -> Test:
    """Test for a text; other values count as their text (0 as "0", null as "None")."""
    return lambda value: _text(value) == expected


def equals_ignoring_case(expected: str) -> Test:
    """Test for a text in whatever case."""
    folded = expected.casefold()
    return lambda value: _text(value).casefold() == folded


def one_of(expected: frozenset[str]) -> Test:
    """Test for one of some texts."""
    return lambda value: _text(value) in expected


def starts_with(beginnings: tuple[str, ...]) -> Test:
    """Test for one of some beginnings."""
    return lambda value: _text(value).startswith(beginnings)


def matches(search: Callable[[str], object]) -> Test:
    """Test for a regular expression somewhere in the text."""
    return lambda value: search(_encodable(_text(value))) is not None


def before(bound: str) -> Test:
    """Test for a text that sorts before another, as build ids do by their dates."""
    return lambda value: _text(value) < bound


def at_most(bound: float) -> Test:
    """Test for a number, not a text, up to a bound."""
    return lambda value: _is_number(value) and value <= bound


def at_least(bound: float) -> Test:
    """Test for a number, not a text, from a bound on."""
    return lambda value: _is_number(value) and value >= bound


def build_older_than(days: int, today: Callable[[], date] | None = None) -> Test:
    """Test for a build id (14 digits) whose date is that many days ago or more."""
    now = today or _today

    def test(value: Any) -> bool:
        text = _text(value)
        if not _BUILD_ID.fullmatch(text):
            return False
        try:
            built = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        except ValueError:
            return False
        return built < now() - timedelta(days=days)

    return test


def _text(value: Any) -> str:
    """Return a value as the text that conditions compare; "" for what has none."""
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except (ValueError, RecursionError):
        # An integer of thousands of digits; lists within lists.
        return ""


def _today() -> date:
    return datetime.now(UTC).date()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """Return what is at some keys of a JSON text, or of an object that came as JSON."""
    if isinstance(value, str):
        if len(value) > _MAX_JSON:
            return _MISSING
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return _MISSING
    for key in path:
        if not isinstance(value, dict):
            return _MISSING
        value = value.get(key, _MISSING)
    return value


def _encodable(text: str) -> str:
    """Replace lone surrogates, which the engine of regular expressions does not take."""
    return text.encode("utf-8", "replace").decode("utf-8")
