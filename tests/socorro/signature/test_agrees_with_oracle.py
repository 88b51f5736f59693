# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Our signatures against a second implementation of the newest algorithm: no name is left out."""

import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socorro.signature import SignatureLists, generate

from . import strategies
from .corpus import CrashMaker
from .corpus_names import SOURCES, names_that_match
from .oracle import OracleLists, list_lines, sign

# The lists that the field has written over ten years, as siggen ships them.
FIELDS_LISTS = Path(str(files("siggen") / "siglists"))
_LINES = [
    line
    for name in ("irrelevant_signature_re", "prefix_signature_re", "signature_sentinels")
    for line in list_lines(FIELDS_LISTS / f"{name}.txt")
]
NAMES_THAT_MATCH = names_that_match(_LINES, seed=1)

_LISTS = SignatureLists.load(FIELDS_LISTS)
_ORACLE_LISTS = OracleLists.load(FIELDS_LISTS)
_SEED = int(os.environ.get("SEED", "1"))
_BATCHES = 10
_CRASHES = 300
_SOAKED_CRASHES = 20_000

_examples = settings(max_examples=4 * settings.default.max_examples, deadline=None)


def _assert_agreement(crash: dict[str, Any]) -> None:
    ours = generate(crash, _LISTS)
    expected = sign(crash, _ORACLE_LISTS)
    assert (ours.signature, ours.proto_signature) == expected, json.dumps(crash)


def test_nearly_every_line_of_the_lists_is_met_by_a_name() -> None:
    assert len(NAMES_THAT_MATCH) > 0.98 * len(_LINES)


# What Python's regular expressions and RE2 read in different ways, unless it is translated.
_TRICKY_LINES = (
    "ends$", r"\d+digits", r"\w+word", r"a\sb", r"a\bb|b\b", "a.c", "[^x]y", r"\Sz", r"\Dq", r"\Wr",
    "(?:one|two)?three", r"x{2,3}$", "^caret", r"back\\slash", "(a|b)*end",
)  # fmt: skip
_TRICKY_NAMES = (
    "ends", "ends\n", "ends\n\n", "\u0663digits", "9digits", "\u00e9word", "a\u00a0b", "a\x1cb",
    "a b", "b\u00e9", "b", "a\nc", "a\u2028c", "\ny", "\u00e9z", "\u0663q", "\u00e9r", "three",
    "xx\n", "xxxx", "caret", "\ncaret", "back\\slash", "ababend", "twothree", "\U0001f600y", " r",
    "\u200ar",
)  # fmt: skip


@pytest.mark.parametrize("line", _TRICKY_LINES)
def test_a_line_of_a_list_matches_as_python_matches(line: str, tmp_path: Path) -> None:
    (tmp_path / "irrelevant_signature_re.txt").write_text(f"{line}\n", encoding="utf-8")
    lists, expected = SignatureLists.load(tmp_path), OracleLists.load(tmp_path)
    for name in _TRICKY_NAMES:
        frames = [{"function": f"x::operator{name}"}, {"module": name}, {"function": "other"}]
        crash = {"threads": [{"frames": frames}]}
        assert generate(crash, lists).signature == sign(crash, expected).signature, ascii(name)


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_a_crash_gets_the_signature_of_the_oracle(batch: int, soaking: bool) -> None:
    maker = CrashMaker(_SEED * _BATCHES + batch, NAMES_THAT_MATCH)
    for _ in range(_SOAKED_CRASHES if soaking else _CRASHES):
        _assert_agreement(maker.crash())


@_examples
@given(strategies.functions, st.sampled_from(SOURCES))
def test_a_function_gets_the_name_of_the_oracle(function: str, file: str | None) -> None:
    frame = {"function": function, "file": file, "line": 12}
    _assert_agreement({"threads": [{"frames": [frame]}]})


@_examples
@given(strategies.crashes)
def test_a_small_crash_gets_the_signature_of_the_oracle(crash: dict[str, Any]) -> None:
    _assert_agreement(crash)


@_examples
@given(strategies.java_stack_traces)
def test_a_java_stack_trace_gets_the_signature_of_the_oracle(trace: str) -> None:
    _assert_agreement({"java_stack_trace": trace})


@_examples
@given(strategies.java_exceptions)
def test_a_java_exception_gets_the_signature_of_the_oracle(exception: dict[str, Any]) -> None:
    _assert_agreement({"java_exception": exception})
