# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Our signatures against those of siggen, an older edition of the algorithm that we follow.

Where the newest edition differs from it on purpose, or where siggen stumbles, no example is
compared; `_is_known_difference` and `_stumbles` list these places.
"""

import logging
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from siggen.generator import SignatureGenerator

from socorro.signature import SignatureLists, generate
from socorro.signature.brackets import outermost
from socorro.signature.frames import source_path

from . import corpus

_LISTS = SignatureLists.load(Path(str(files("siggen") / "siglists")))
_REFERENCE = SignatureGenerator()

_examples = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """siggen logs a traceback for every rule of its own that fails."""
    caplog.set_level(logging.CRITICAL)


def _is_known_difference(function: str, file: str) -> bool:
    """Whether the newest edition of the algorithm treats the name in another way than siggen."""
    if source_path(file).endswith(".rs"):
        return False
    if "operator<" in function or " as " in function or " in <" in function:
        return True
    name = function.replace("`anonymous namespace'", "(anonymous namespace)")
    types = [name[start:end] for start, end, _ in outermost(name, "<")]
    arguments = [name[start:end] for start, end, _ in outermost(name, "(")]
    return any(
        "IPC::ParamTraits" in part or ("<name omitted>" in part and part != "<name omitted>")
        for part in types
    ) or any(
        ("(anonymous namespace)" in part and part != "(anonymous namespace)")
        or "operator" in part
        or "operator(" in name
        for part in arguments
    )


def _stumbles(function: str) -> bool:
    """Whether nothing remains of the name: siggen's rule fails there."""
    return bool(function) and not function.strip(" &").removesuffix("const").strip(" &")


def _is_comparable(function: str | None, file: str | None) -> bool:
    return not (_is_known_difference(function or "", file or "") or _stumbles(function or ""))


def _calls(crash: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for thread in crash["threads"]:
        for frame in thread["frames"]:
            yield from frame.get("inlines") or []
            yield frame


def _assert_agreement(crash: dict[str, Any]) -> None:
    theirs = _REFERENCE.generate(crash)
    ours = generate(crash, _LISTS)
    assert ours.signature == theirs.signature
    assert ours.proto_signature == theirs.extra.get("proto_signature")


@_examples
@given(corpus.functions, st.sampled_from(corpus.FILES))
def test_a_function_gets_the_same_name(function: str, file: str | None) -> None:
    assume(_is_comparable(function, file))
    frame = {"function": function, "file": file, "line": 12}
    _assert_agreement({"threads": [{"frames": [frame]}]})


@pytest.mark.parametrize("seed", range(20))
def test_a_native_crash_gets_the_same_signature(seed: int) -> None:
    maker = corpus.CrashMaker(seed)
    for _ in range(50):
        _assert_comparable_crash_agrees(maker.crash())


def _assert_comparable_crash_agrees(crash: dict[str, Any]) -> None:
    for call in _calls(crash):
        if not _is_comparable(call["function"], call["file"]):
            call["function"] = "some::function<int>()"
    _assert_agreement(crash)


@_examples
@given(corpus.java_stack_traces)
def test_a_java_stack_trace_gets_the_same_signature(trace: str) -> None:
    _assert_agreement({"java_stack_trace": trace})


@_examples
@given(corpus.java_exceptions)
def test_a_java_exception_gets_the_same_signature(exception: dict[str, Any]) -> None:
    _assert_agreement({"java_exception": exception})
