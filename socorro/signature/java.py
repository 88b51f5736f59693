# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Signatures of Java: from an exception's stack trace as text, or as a structure."""

import re
from collections.abc import Mapping
from typing import Any

from socorro.signature.crash_data import MAX_TEXT_CHARS
from socorro.signature.draft import Draft

_MAX_CHARS = 255
_BAD_STACK_TRACE = "EMPTY: Java stack trace not in expected format"
_BAD_EXCEPTION = "EMPTY: Java exception not in expected format"

_OBJECT_ADDRESS = re.compile("@[0-9a-f]{8}")
_LINE_NUMBER = re.compile(r"\.java:\d+\)$")


def sign_stack_trace(draft: Draft) -> None:
    """Sign with "class: message method" of a stack trace's first two lines."""
    trace = draft.crash.java_stack_trace
    if not isinstance(trace, str):
        draft.signature = _BAD_STACK_TRACE
        draft.note("the Java stack trace is not a text")
        return
    lines = [line.strip() for line in trace[:MAX_TEXT_CHARS].splitlines()]
    name, message = _exception(draft, lines[0] if lines else "")
    method = _method(draft, lines)
    signature = _joined(name, message, method)
    if len(signature) > _MAX_CHARS:
        signature = f"{name}: {method}"
        draft.note("the message of the Java exception is left out: it is too long")
    draft.signature = signature


def _exception(draft: Draft, line: str) -> tuple[str, str]:
    name, colon, message = line.partition(":")
    if not colon:
        draft.note("line 1 of the Java stack trace is not 'class: message'")
    return name.strip(), _OBJECT_ADDRESS.sub("@<addr>", message.strip())


def _method(draft: Draft, lines: list[str]) -> str:
    if len(lines) < 2:
        draft.note("line 2 of the Java stack trace is missing")
        return ""
    if not lines[1]:
        draft.note("line 2 of the Java stack trace is empty")
    return _LINE_NUMBER.sub(".java)", lines[1])


def _joined(name: str, message: str, method: str) -> str:
    """The message and the method have but a space between them: so it was in the earliest
    signatures, and they are compared with those of today."""
    if message and method and not message.endswith("<addr>"):
        message, method = f"{message} {method}", ""
    return ": ".join(part for part in (name, message, method) if part)


def sign_exception(draft: Draft) -> None:
    """Sign with "class: at method(file)" of an exception's first frame."""
    signature = _exception_signature(draft.crash.java_exception)
    if signature is None:
        draft.note("the Java exception is not in the expected format")
    draft.signature = _BAD_EXCEPTION if signature is None else signature


def _exception_signature(java_exception: Any) -> str | None:
    stack_trace = _first_stack_trace(java_exception)
    if stack_trace is None:
        return None
    name = _dotted(stack_trace.get("module"), stack_trace.get("type") or "Unknown")
    frames = stack_trace.get("frames")
    if name is None or not frames:
        return name
    place = _place(frames[0]) if isinstance(frames, list) else None
    return None if place is None else f"{name}: at {place}"


def _first_stack_trace(java_exception: Any) -> Mapping[str, Any] | None:
    try:
        stack_trace = java_exception["exception"]["values"][0]["stacktrace"]
    except (LookupError, TypeError):
        return None
    return stack_trace if isinstance(stack_trace, Mapping) and stack_trace else None


def _place(frame: Any) -> str | None:
    if not isinstance(frame, Mapping):
        return None
    method = _dotted(frame.get("module"), frame.get("function"))
    if method is None:
        return None
    file = frame.get("filename")
    if not method or not isinstance(file, str) or not file:
        return method or "unknown"
    return f"{method}({file[:MAX_TEXT_CHARS]})"


def _dotted(module: Any, name: Any) -> str | None:
    """ "module.name" of what there is of the two; None if one is no text."""
    parts = [part for part in (module, name) if part]
    if not all(isinstance(part, str) for part in parts):
        return None
    return ".".join(part[:MAX_TEXT_CHARS] for part in parts)
