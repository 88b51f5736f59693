# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Files of throttle rules: what they can say, and what is told about a wrong one."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.throttling import RuleFileError, RuleThrottler, read_rules
from socorro.crash_id import Throttle

ONE = "rules:\n- {name: a, then: accept}\n"
WHEN = "rules:\n- name: a\n  when: "
THEN = "rules:\n- name: a\n  then: "
ACCEPT = "\n  then: accept"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def matches(path: Path, condition: str, report: dict[str, Any]) -> bool:
    """Whether a condition, as written in a file, matches a report."""
    path.write_text(
        f"lists: {{known: [a, b]}}\nrules: [{{name: r, when: {condition}, then: accept}}]"
    )
    return RuleThrottler(read_rules(path)).judge(report).rule == "r"


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("{annotation: A, present: true}", "", True),
        ("{annotation: A, present: true}", None, True),
        ("{annotation: A, present: false}", "", False),
        ("{annotation: A, equals: '0'}", "0", True),
        ("{annotation: A, equals: 0}", 0, True),
        ("{annotation: A, equals: 0}", "00", False),
        ("{annotation: A, equals: None}", None, True),
        ("{annotation: A, equals_ignoring_case: b2g}", "B2G", True),
        ("{annotation: A, one_of: known}", "b", True),
        ("{annotation: A, one_of: known}", "c", False),
        ("{annotation: A, one_of: [c, d]}", "c", True),
        ("{annotation: A, starts_with: night}", "nightly", True),
        ("{annotation: A, starts_with: [x, night]}", "nightly", True),
        ("{annotation: A, matches: 'l.$'}", "nightly", True),
        ("{annotation: A, matches: '^l'}", "nightly", False),
        ("{annotation: A, matches: '^l'}", "\ud800", False),
        ("{annotation: A, before: '2017'}", "2016", True),
        ("{annotation: A, before: '2017'}", "2017", False),
        ("{annotation: A, at_most: 5}", 5, True),
        ("{annotation: A, at_most: 5}", "5", False),
        ("{annotation: A, at_most: 5}", True, False),
        ("{annotation: A, at_least: 5}", 5.5, True),
        ("{annotation: A, at_least: 5}", 4, False),
        ("{annotation: A, at_least: 2, at_most: 4}", 3, True),
        ("{annotation: A, at_least: 2, at_most: 4}", 5, False),
        ("{annotation: A, json: b.c, equals: x}", '{"b": {"c": "x"}}', True),
        ("{annotation: A, json: b.c, equals: x}", {"b": {"c": "x"}}, True),
        ("{annotation: A, json: b.c, equals: x}", '{"b": ["c"]}', False),
        ("{annotation: A, json: b, equals: x}", "no JSON", False),
        ("{annotation: A, json: [b.c], equals: x}", '{"b.c": "x"}', True),
        ("{annotation: A, build_older_than_days: 7}", "20200101000000", True),
        ("{annotation: A, build_older_than_days: 7}", 20200101000000, True),
        ("{annotation: A, build_older_than_days: 7}", "20201301000000", False),
        ("{annotation: A, build_older_than_days: 7}", "20990101000000", False),
        ("{not: {annotation: A, equals: x}}", "y", True),
        ("{all: [{annotation: A, equals: x}, {annotation: B, present: true}]}", "x", False),
        ("{any: [{annotation: A, equals: x}, {annotation: B, present: true}]}", "x", True),
    ],
)
def test_conditions_ask_for_an_annotation(
    path: Path, condition: str, value: Any, expected: bool
) -> None:
    assert matches(path, condition, {"A": value}) is expected


def test_values_that_have_no_text_match_nothing(path: Path) -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    for value in (10**5000, nested):
        assert not matches(path, "{annotation: A, starts_with: ['[', '1']}", {"A": value})


@pytest.mark.parametrize("test", ["equals: ''", "at_most: 1", "before: z", "one_of: [None]"])
def test_a_report_without_the_annotation_does_not_match(path: Path, test: str) -> None:
    assert not matches(path, f"{{annotation: A, {test}}}", {"B": ""})


def test_the_first_rule_that_decides_decides(path: Path) -> None:
    path.write_text(
        "rules:\n"
        "  - {name: first, when: {annotation: A, equals: x}, then: continue}\n"
        "  - {name: second, when: {annotation: A, present: true}, then: defer}\n"
        "  - {name: third, then: fake_accept}\n"
    )
    throttler = RuleThrottler(read_rules(path))
    assert throttler.judge({"A": "x"}).result is Throttle.DEFER
    assert throttler.judge({}).result is Throttle.FAKE_ACCEPT


def test_what_no_rule_decides_on_is_rejected(path: Path) -> None:
    path.write_text("rules: [{name: a, when: {annotation: A, present: true}, then: accept}]")
    verdict = RuleThrottler(read_rules(path)).judge({})
    assert (verdict.rule, verdict.result) == ("NO_MATCH", Throttle.REJECT)


@pytest.mark.parametrize(
    ("line", "wrong", "told"),
    [
        (1, "", "is empty"),
        (1, "- a", "the file: must be a mapping"),
        (1, "rules: []", "at least one"),
        (1, "rules: {}", "rules: must be a list"),
        (2, "rules: [\n", "is not YAML"),
        (1, "[" * 5000, "is nested too deeply"),
        (3, "# a\n# b\n\x01", "is not YAML: the character 0x0001"),
        (3, "# a\n# b\n\udcff", "is not UTF-8"),
        (3, WHEN + "{annotation: A, json: a..b, equals: c}" + ACCEPT, "json: must be keys"),
        (3, WHEN + "{annotation: A, json: [], equals: c}" + ACCEPT, "json: must be keys"),
        (1, "rule: []", "'rule' is no key; those are lists, rules"),
        (2, "rules:\n- {name: a}", "the key then is missing"),
        (2, "rules:\n- {name: a b, then: accept}", "name: 'a b'"),
        (3, ONE + ONE.removeprefix("rules:\n"), "another rule called a"),
        (2, "rules:\n- {name: a, name: b, then: accept}", "'name' stands twice"),
        (3, THEN + "acept\n", "'acept' is no result; those are accept, defer"),
        (3, THEN + "{percent: 101, of_these: accept, others: reject}", "0 to 100"),
        (3, THEN + "{percent: ten, of_these: accept, others: reject}", "a number"),
        (3, THEN + "{percent: 10, of_these: accept}", "the key others is missing"),
        (3, WHEN + "{annotation: A}" + ACCEPT, "asks nothing"),
        (3, WHEN + "{annotation: A, is: b}" + ACCEPT, "'is' is no test"),
        (3, WHEN + "{either: []}" + ACCEPT, "'either' is no condition"),
        (3, WHEN + "{all: []}" + ACCEPT, "at least one condition"),
        (3, WHEN + "{}" + ACCEPT, "a condition has the key annotation"),
        (3, WHEN + "{annotation: A, one_of: b}" + ACCEPT, "no list called 'b'"),
        (3, WHEN + "{annotation: A, matches: '('}" + ACCEPT, "RE2"),
        (3, WHEN + "{annotation: A, present: maybe}" + ACCEPT, "true or false"),
        (3, WHEN + "{annotation: A, at_most: '5'}" + ACCEPT, "a number"),
        (
            3,
            WHEN + "{annotation: A, build_older_than_days: 1.5}" + ACCEPT,
            "whole number of days",
        ),
        (
            3,
            WHEN + "{annotation: A, present: true, equals: b}" + ACCEPT,
            "present: stands alone",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(path: Path, line: int, wrong: str, told: str) -> None:
    path.write_bytes(wrong.encode("utf-8", "surrogateescape"))
    with pytest.raises(RuleFileError) as raised:
        read_rules(path)
    assert str(raised.value).startswith(f"{path}, line {line}: ")
    assert told in str(raised.value)


def test_conditions_that_are_nested_for_ever_are_refused(path: Path) -> None:
    path.write_text("rules: [{name: a, when: &a {not: *a}, then: accept}]")
    with pytest.raises(RuleFileError, match="line 1"):
        read_rules(path)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuleFileError, match="cannot be read"):
        read_rules(tmp_path / name)


@given(
    st.one_of(
        st.binary(max_size=200), st.text(alphabet="rules:namethcp[]{}-&*!|>'\"\n ,", max_size=200)
    )
)
def test_any_other_file_is_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(RuleFileError):
        read_rules(path)
