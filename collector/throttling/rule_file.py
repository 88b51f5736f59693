# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reads a file of throttle rules; whatever is wrong in it is told with its line number."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2
import yaml

from collector.throttling import conditions
from collector.throttling.conditions import Condition
from collector.throttling.rules import Outcome, Rule
from socorro.crash_id import Throttle

# The rules of Mozilla's collector, which ship with this one.
MOZILLA_RULES = Path(__file__).with_name("mozilla.yaml")

_MAX_BYTES = 2**20
_MAX_DEPTH = 50
_NAME = re.compile(r"[A-Za-z0-9_]{1,100}", re.ASCII)
_RESULTS: dict[str, Throttle | None] = {
    "accept": Throttle.ACCEPT,
    "defer": Throttle.DEFER,
    "reject": Throttle.REJECT,
    "fake_accept": Throttle.FAKE_ACCEPT,
    "continue": None,
}


class RuleFileError(Exception):
    """A file of throttle rules is wrong: ``FILE, line N: what is wrong``."""


def read_rules(path: Path) -> list[Rule]:
    """Return the rules of a file in their order. Raises RuleFileError."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise RuleFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(body) > _MAX_BYTES:
        raise RuleFileError(f"{path}: is larger than {_MAX_BYTES:,} bytes")
    try:
        return parse_rules(body)
    except _Wrong as wrong:
        raise RuleFileError(f"{path}, line {wrong.line}: {wrong}") from wrong


def parse_rules(body: bytes) -> list[Rule]:
    """Return the rules in a text. Raises an error that `read_rules` puts the file's name to."""
    text = _decode(body)
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _Wrong(line, f"is not YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _Wrong(line, f"is not YAML: the character {error.character:#06x}") from error
    except RecursionError as error:
        raise _Wrong(1, "is nested too deeply") from error
    if root is None:
        raise _Wrong(1, "is empty; there must be a key named rules")
    keys = _mapping(root, "the file", allowed=("lists", "rules"), needed=("rules",))
    lists = _lists(keys["lists"]) if "lists" in keys else {}
    return _rules(keys["rules"], _Reader(lists))


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Wrong(body.count(b"\n", 0, error.start) + 1, "is not UTF-8") from error


class _Wrong(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _wrong(node: yaml.Node, text: str) -> _Wrong:
    return _Wrong(_line(node), text)


def _lists(node: yaml.Node) -> dict[str, frozenset[str]]:
    return {
        name: frozenset(_texts(value, f"the list {name}"))
        for name, value in _mapping(node, "lists").items()
    }


def _rules(node: yaml.Node, reader: "_Reader") -> list[Rule]:
    rules: dict[str, Rule] = {}
    for item in _sequence(node, "rules"):
        keys = _mapping(item, "a rule", allowed=("name", "when", "then"), needed=("name", "then"))
        name = _text(keys["name"], "name")
        if not _NAME.fullmatch(name):
            raise _wrong(
                keys["name"], f"name: {name[:60]!r} is not made of 1 to 100 of A-Z a-z 0-9 _"
            )
        if name in rules:
            raise _wrong(keys["name"], f"name: there is another rule called {name}")
        condition = reader.condition(keys["when"], 0) if "when" in keys else conditions.always
        rules[name] = Rule(name, condition, _outcome(keys["then"]))
    if not rules:
        raise _wrong(node, "rules: there must be at least one, or every report is rejected")
    return list(rules.values())


def _outcome(node: yaml.Node) -> Outcome:
    if isinstance(node, yaml.ScalarNode):
        return Outcome(_result(node))
    keys = _mapping(
        node,
        "then",
        allowed=("percent", "of_these", "others"),
        needed=("percent", "of_these", "others"),
    )
    percent = _number(keys["percent"], "percent")
    if not 0 <= percent <= 100:
        raise _wrong(keys["percent"], "percent: must be from 0 to 100")
    return Outcome(_result(keys["of_these"]), percent, _result(keys["others"]))


def _result(node: yaml.Node) -> Throttle | None:
    text = _text(node, "a result")
    if text not in _RESULTS:
        raise _wrong(node, f"{text[:60]!r} is no result; those are {', '.join(_RESULTS)}")
    return _RESULTS[text]


@dataclass(frozen=True)
class _Reader:
    """Reads conditions, which may refer to the lists of the file."""

    lists: dict[str, frozenset[str]]

    def condition(self, node: yaml.Node, depth: int) -> Condition:
        if depth > _MAX_DEPTH:
            raise _wrong(node, "conditions are nested too deeply")
        keys = _mapping(node, "a condition")
        if "annotation" in keys:
            return self._about_annotation(node, keys)
        if len(keys) != 1:
            raise _wrong(
                node, "a condition has the key annotation, or one of all, any, not by itself"
            )
        kind, value = next(iter(keys.items()))
        if kind == "not":
            return conditions.Not(self.condition(value, depth + 1))
        if kind not in ("all", "any"):
            raise _wrong(value, f"{kind[:60]!r} is no condition; see annotation, all, any, not")
        parts = tuple(self.condition(part, depth + 1) for part in _sequence(value, kind))
        if not parts:
            raise _wrong(value, f"{kind}: must hold at least one condition")
        return conditions.AllOf(parts) if kind == "all" else conditions.AnyOf(parts)

    def _about_annotation(self, node: yaml.Node, keys: dict[str, yaml.Node]) -> Condition:
        annotation = _text(keys["annotation"], "annotation")
        path = _path(keys["json"]) if "json" in keys else ()
        tests = {kind: value for kind, value in keys.items() if kind not in ("annotation", "json")}
        if not tests:
            raise _wrong(node, f"{annotation}: asks nothing; add present: true or another test")
        if "present" in tests:
            if len(tests) > 1 or path:
                raise _wrong(tests["present"], "present: stands alone beside annotation")
            present = conditions.Present(annotation)
            return present if _flag(tests["present"], "present") else conditions.Not(present)
        return conditions.Asks(
            annotation, path, tuple(self._test(kind, value) for kind, value in tests.items())
        )

    def _test(self, kind: str, node: yaml.Node) -> conditions.Test:
        if kind == "one_of":
            return conditions.one_of(self._set(node))
        if kind not in _TESTS:
            known = ", ".join(sorted([*_TESTS, "one_of", "present"]))
            raise _wrong(node, f"{kind[:60]!r} is no test; those are {known}")
        return _TESTS[kind](node, kind)

    def _set(self, node: yaml.Node) -> frozenset[str]:
        if not isinstance(node, yaml.ScalarNode):
            return frozenset(_texts(node, "one_of"))
        name = _text(node, "one_of")
        if name not in self.lists:
            raise _wrong(node, f"one_of: there is no list called {name[:60]!r} under lists")
        return self.lists[name]


def _path(node: yaml.Node) -> tuple[str, ...]:
    """Return the keys of a path: ``a.b``, or a list for keys with dots."""
    if isinstance(node, yaml.ScalarNode):
        path = _text(node, "json").split(".")
    else:
        path = _texts(node, "json")
    if not path or "" in path:
        raise _wrong(node, "json: must be keys with dots between, or a list of keys")
    return tuple(path)


def _matches(node: yaml.Node, what: str) -> conditions.Test:
    options = re2.Options()
    options.log_errors = False
    try:
        return conditions.matches(re2.compile(_text(node, what), options).search)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise _wrong(node, f"{what}: is no regular expression of RE2: {reason}") from error


def _build_older_than(node: yaml.Node, what: str) -> conditions.Test:
    days = _number(node, what)
    if not 0 <= days <= 36500 or days != int(days):
        raise _wrong(node, f"{what}: must be a whole number of days, up to 36500")
    return conditions.build_older_than(int(days))


def _starts_with(node: yaml.Node, what: str) -> conditions.Test:
    if isinstance(node, yaml.ScalarNode):
        return conditions.starts_with((_text(node, what),))
    return conditions.starts_with(tuple(_texts(node, what)))


_TESTS: dict[str, Callable[[yaml.Node, str], conditions.Test]] = {
    "equals": lambda node, what: conditions.equals(_text(node, what)),
    "equals_ignoring_case": lambda node, what: conditions.equals_ignoring_case(_text(node, what)),
    "starts_with": _starts_with,
    "matches": _matches,
    "before": lambda node, what: conditions.before(_text(node, what)),
    "at_most": lambda node, what: conditions.at_most(_number(node, what)),
    "at_least": lambda node, what: conditions.at_least(_number(node, what)),
    "build_older_than_days": _build_older_than,
}


def _mapping(
    node: yaml.Node, what: str, *, allowed: tuple[str, ...] = (), needed: tuple[str, ...] = ()
) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node, f"{what}: must be a mapping of keys to values")
    keys: dict[str, yaml.Node] = {}
    for key_node, value in node.value:
        key = _text(key_node, "a key")
        if allowed and key not in allowed:
            raise _wrong(
                key_node, f"{what}: {key[:60]!r} is no key; those are {', '.join(allowed)}"
            )
        if key in keys:
            raise _wrong(key_node, f"{what}: the key {key[:60]!r} stands twice")
        keys[key] = value
    for key in needed:
        if key not in keys:
            raise _wrong(node, f"{what}: the key {key} is missing")
    return keys


def _sequence(node: yaml.Node, what: str) -> Iterator[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _wrong(node, f"{what}: must be a list")
    return iter(node.value)


def _texts(node: yaml.Node, what: str) -> list[str]:
    return [_text(item, what) for item in _sequence(node, what)]


def _text(node: yaml.Node, what: str) -> str:
    """Return a scalar as it is written: annotations are compared as texts."""
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(node, f"{what}: must be a text")
    return str(node.value)


def _number(node: yaml.Node, what: str) -> float:
    value: Any = None
    if isinstance(node, yaml.ScalarNode) and not node.style:
        value = yaml.safe_load(node.value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(node, f"{what}: must be a number")
    return value


def _flag(node: yaml.Node, what: str) -> bool:
    text = _text(node, what)
    if text not in ("true", "false"):
        raise _wrong(node, f"{what}: must be true or false")
    return text == "true"
