# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The fast way for ordinary C++ names gives what the slow one gives, or nothing."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from socorro.signature.cpp import collapse_any, collapse_ordinary

_PIECES = (
    "a", "Foo", "::", "<", ">", "<T>", "<a<b>, c>", "(", ")", "(int)", "()", "[", "]", "{", "}",
    "`", "'", " ", "\n", "const", " const", "&", "*", ",", "$_1", "::$_1::", "operator", " as ",
    " in ", "anonymous namespace", "[clone .cold]", "<name omitted>", "IPC::ParamTraits", "static ",
)  # fmt: skip
_names = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=9).map("".join)


@settings(max_examples=2000, deadline=None)
@given(_names)
@example("a<[> ::f")
@example("\n(int) const")
@example(" f(int) const")
@example("isconst")
def test_an_ordinary_name_is_collapsed_alike(function: str) -> None:
    assert collapse_ordinary(function) in ("", collapse_any(function))


def test_usual_names_go_the_fast_way() -> None:
    assert collapse_ordinary("void ns::Foo<int, A<B>>::bar(char const*) const") == "ns::Foo<T>::bar"
    assert collapse_ordinary("main") == "main"
    assert collapse_ordinary("a::$_12::f(int)") == "a::$::f"
