# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Our signatures against a second implementation of the newest algorithm: no name is left out."""

import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

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
_CRASHES = 3_000
_SOAKED_CRASHES = 200_000

_examples = settings(max_examples=500, deadline=None)


def _assert_agreement(crash: dict[str, Any]) -> None:
    ours = generate(crash, _LISTS)
    expected = sign(crash, _ORACLE_LISTS)
    assert (ours.signature, ours.proto_signature) == expected, json.dumps(crash)


def test_nearly_every_line_of_the_lists_is_met_by_a_name() -> None:
    assert len(NAMES_THAT_MATCH) > 0.98 * len(_LINES)


def test_a_crash_gets_the_signature_of_the_oracle(soaking: bool) -> None:
    maker = CrashMaker(_SEED, NAMES_THAT_MATCH)
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
