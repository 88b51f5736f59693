# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Our signatures against those of siggen, an older edition of the algorithm that we follow.

Where the newest edition differs from it on purpose, or where siggen's rule raises, the name is
replaced by an ordinary one; `_is_known_difference` says what and why.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from siggen.generator import SignatureGenerator

from socorro.signature import SignatureLists, generate

from . import strategies
from .corpus import CrashMaker
from .corpus_names import SOURCES
from .oracle import OracleLists, before_the_text_rules, collapse_types, outermost, source_file
from .test_agrees_with_oracle import FIELDS_LISTS, NAMES_THAT_MATCH

_LISTS = SignatureLists.load(FIELDS_LISTS)
_ORACLE_LISTS = OracleLists.load(FIELDS_LISTS)
_REFERENCE = SignatureGenerator()
_SEED = int(os.environ.get("SEED", "1"))
_BATCHES = 5
_CRASHES = 200
_SOAKED_CRASHES = 12_000

_examples = settings(
    max_examples=4 * settings.default.max_examples,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """siggen logs a traceback for every rule of its own that fails."""
    caplog.set_level(logging.CRITICAL)


def _is_known_difference(function: str, file: str) -> bool:
    """Whether the newest edition treats the name in another way than siggen.

    siggen keeps a whole bracket as soon as one of its exceptions
    stands anywhere inside; the newest edition asks for the bracket itself, or what is before it.
    """
    if source_file(file).endswith(".rs"):
        # " as " counts inside the bracket, not before it.
        return any(function[:start].endswith(" as ") for start, _ in outermost(function, "<"))
    name = function.replace("`anonymous namespace'", "(anonymous namespace)")
    if any(_differs_as_types(name, *place) for place in outermost(name, "<")):
        return True
    # Types go first, and may take an unbalanced bracket with them.
    return any(
        _differs_as_arguments(text, *place)
        for text in (name, collapse_types(name))
        for place in outermost(text, "(")
    )


def _differs_as_types(name: str, start: int, end: int) -> bool:
    before, part = name[:start], name[start:end]
    return (
        # operator<, operator<=> and operator<< stay as they are; " in " counts inside the bracket.
        before.endswith(("operator", " in "))
        or " as " in part  # <A as B> stays, be the file what it may
        or "IPC::ParamTraits" in part  # counts before the bracket, not inside it
        or ("name omitted" in part and part != "<name omitted>")  # counts alone
    )


def _differs_as_arguments(name: str, start: int, end: int) -> bool:
    part = name[start:end]
    return (
        ("anonymous namespace" in part and part != "(anonymous namespace)")  # counts alone
        or "operator" in part  # counts before the bracket, not inside it
        # What follows "operator" stays as it is; siggen removes the brackets inside.
        or (name[:start].endswith("operator") and "(" in part[1:])
    )


def _fails_in_siggen(function: str) -> bool:
    """Whether only qualifiers of nothing are there: siggen's rule raises."""
    name = function
    for qualifier in ("const", "const&", "const &", "&&", "&"):
        if name.endswith(qualifier):
            name = name.removesuffix(qualifier).strip()
    return bool(function) and not name


def _is_comparable(function: str | None, file: str | None) -> bool:
    function = function or ""
    return not (_is_known_difference(function, file or "") or _fails_in_siggen(function))


def _calls(crash: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for thread in crash.get("threads") or []:
        for frame in thread.get("frames") or []:
            yield from frame.get("inlines") or []
            yield frame


def _assert_agreement(crash: dict[str, Any]) -> None:
    theirs = _REFERENCE.generate(crash)
    ours = generate(crash, _LISTS)
    assert ours.proto_signature == theirs.extra.get("proto_signature")
    # siggen lacks the rule for printable characters only.
    text = before_the_text_rules(crash, _ORACLE_LISTS).signature
    if all(" " <= character <= "~" for character in text):
        assert ours.signature == theirs.signature


@_examples
@given(strategies.functions, st.sampled_from(SOURCES))
def test_a_function_gets_the_same_name(function: str, file: str | None) -> None:
    assume(_is_comparable(function, file))
    frame = {"function": function, "file": file, "line": 12}
    _assert_agreement({"threads": [{"frames": [frame]}]})


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_a_crash_gets_the_same_signature(batch: int, soaking: bool) -> None:
    maker = CrashMaker(_SEED * _BATCHES + batch, NAMES_THAT_MATCH)
    for _ in range(_SOAKED_CRASHES if soaking else _CRASHES):
        crash = maker.crash()
        for call in _calls(crash):
            if not _is_comparable(call.get("function"), call.get("file")):
                call["function"] = "some::function<int>()"
        _assert_agreement(crash)


@_examples
@given(strategies.java_stack_traces)
def test_a_java_stack_trace_gets_the_same_signature(trace: str) -> None:
    _assert_agreement({"java_stack_trace": trace})


@_examples
@given(strategies.java_exceptions)
def test_a_java_exception_gets_the_same_signature(exception: dict[str, Any]) -> None:
    _assert_agreement({"java_exception": exception})
