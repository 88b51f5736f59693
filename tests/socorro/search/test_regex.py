# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The dialect of search patterns: what is honoured, and what is refused with a sentence."""

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from socorro.search import QueryError
from socorro.search.regex import MAX_LENGTH, escape, translate


def matches(pattern: str, value: str) -> bool:
    """Match a whole value with the translated pattern in RE2, whose syntax is Rust's."""
    return bool(re2.fullmatch(translate(pattern), value))


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("Foo", "Foo", True),
        ("Foo", "Foo::Bar", False),
        ("^Foo.*$", "Foo::Bar", True),
        ("Foo\\$", "Foo$", True),
        ("Foo\\\\$", "Foo\\", True),
        ("a^b", "a^b", True),
        ("Foo.Bar", "Foo\nBar", True),
        ("Foo<T>", "Foo<T>", True),
        ("operator\\&\\&", "operator&&", True),
        ("\\d+", "42", True),
        ("\\d+", "٤٢", False),
        ("\\D\\S", "x ", False),
        ("[\\w.]+", "a_b.c", True),
        ("[^\\d]", "5", False),
        ("[a&&b]", "&", True),
        ("[]x]", "]", True),
        ("[[]", "[", True),
        ("a\\tb\\n", "a\tb\n", True),
        ("(?i)foo", "FOO", True),
        ("(?:ab){2}", "abab", True),
        ("a{1,2}", "aaa", False),
        ("a|b", "b", True),
        ("}]", "}]", True),
        ('"x"', '"x"', True),
    ],
)
def test_a_pattern_is_for_the_whole_value(pattern: str, value: str, expected: bool) -> None:
    assert matches(pattern, value) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        *["a~b", "a&b", "a@b", "a#b", "<1-10>", "(?=a)", "(?P<n>a)", "(?m)a", "\\b", "\\pL", "\\1"],
        *["\\x41", "[\\D]", "a{", "a{x}", "a{1", "a\\", "[a", "[", "x" * (MAX_LENGTH + 1)],
    ],
)
def test_what_engines_take_differently_is_refused(pattern: str) -> None:
    with pytest.raises(QueryError, match=r"[.]$"):
        translate(pattern)


@given(st.text())
def test_an_escaped_text_matches_itself(text: str) -> None:
    assert re.fullmatch(escape(text), text)


@given(st.text("ab1.*+?()[]{}|\\^$<>-&~@#,:!=iP \n", max_size=20))
def test_a_pattern_is_translated_or_refused(pattern: str) -> None:
    try:
        translated = translate(pattern)
    except QueryError:
        return
    assert translated.startswith(("(?s)", "(?si)"))
