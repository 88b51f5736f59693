# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Signatures of Java crashes."""

from typing import Any

import pytest

from socorro.signature import generate


@pytest.mark.parametrize(
    ("trace", "signature"),
    [
        ("java.lang.X: why\n\tat a.B.c(B.java:12)\n\tat d", "java.lang.X: why at a.B.c(B.java)"),
        ("java.lang.X\n\tat a.B.c(B.java:12)", "java.lang.X: at a.B.c(B.java)"),
        ("X: at o@0123abcd\n\tat a.B.c(B.java:1)", "X: at o@<addr>: at a.B.c(B.java)"),
        ("X: o@0123abcd it\n\tat a.B.c(B.java:1)", "X: o@<addr> it at a.B.c(B.java)"),
        ("X: why\n\tat a.B.c(Native Method)", "X: why at a.B.c(Native Method)"),
        (f"X: {'y' * 300}\n\tat a.B.c(B.java:1)", "X: at a.B.c(B.java)"),
        ("X: why", "X: why"),
        ("X", "X"),
        (12, "EMPTY: Java stack trace not in expected format"),
        (["X"], "EMPTY: Java stack trace not in expected format"),
    ],
)
def test_a_stack_trace_gives_class_message_and_method(trace: Any, signature: str) -> None:
    assert generate({"java_stack_trace": trace}).signature == signature


def exception(**stack_trace: Any) -> dict[str, Any]:
    return {"exception": {"values": [{"stacktrace": stack_trace}]}}


FRAME = {"module": "a.B", "function": "c", "filename": "B.java", "lineno": 12, "in_app": True}


@pytest.mark.parametrize(
    ("java_exception", "signature"),
    [
        (exception(type="X", module="java.lang", frames=[FRAME]), "java.lang.X: at a.B.c(B.java)"),
        (exception(module="java.lang", frames=[FRAME]), "java.lang.Unknown: at a.B.c(B.java)"),
        (exception(type="X", frames=[{"function": "c"}]), "X: at c"),
        (exception(type="X", frames=[{"filename": "B.java"}]), "X: at unknown"),
        (exception(type="X", frames=[]), "X"),
        (exception(type="X"), "X"),
    ],
)
def test_an_exception_gives_class_and_place(java_exception: Any, signature: str) -> None:
    assert generate({"java_exception": java_exception}).signature == signature


@pytest.mark.parametrize(
    "java_exception",
    [
        "text", [1], {"exception": None}, {"exception": {"values": []}}, exception(),
        exception(type=1), exception(type="X", frames=["f"]), exception(type="X", frames={"a": 1}),
        exception(type="X", frames=[{"module": 3}]), {"exception": {"values": [[]]}},
    ],
)  # fmt: skip
def test_an_exception_of_another_form_is_named_as_such(java_exception: Any) -> None:
    result = generate({"java_exception": java_exception})
    assert result.signature == "EMPTY: Java exception not in expected format"
    assert result.notes == ("Stack: the Java exception is not in the expected format",)


def test_a_stack_trace_is_preferred_to_an_exception_and_both_to_the_native_stack() -> None:
    native = {"threads": [{"frames": [{"function": "f"}]}]}
    structured = native | {"java_exception": exception(type="X")}
    assert generate(structured).signature == "X"
    assert generate(structured | {"java_stack_trace": "Y: y\n\tat z"}).signature == "Y: y at z"
    assert generate(structured).proto_signature is None
