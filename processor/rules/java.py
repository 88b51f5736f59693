# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What Java programs send: the stack trace of an exception, and what happened before it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.fields import FIELDS

_MALFORMED = "malformed"
# What comes behind has messages of its own, which are nobody else's business.
_OTHER_EXCEPTIONS = ("Suppressed:", "Caused by:")
# A class alone, as of an exception without message and stack, must look like one.
_CLASS = re.compile(r"[\w$]+(\.[\w$]+)+|[\w$]*(Error|Exception|Throwable)")


class _MalformedTraceError(Exception):
    """A text is no Java stack trace."""


class JavaStackTrace(Rule):
    """``java_stack_trace_raw``, as it was sent, and ``java_stack_trace`` without its messages."""

    writes = frozenset({"java_stack_trace", "java_stack_trace_raw"})

    def applies(self, crash: Crash) -> bool:
        """Only for crashes with a stack trace."""
        return bool(crash.annotations.get("JavaStackTrace"))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Keep the class and the places of the exception itself."""
        value = crash.annotations["JavaStackTrace"]
        raw = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        try:
            public = _without_messages(raw)
        except _MalformedTraceError:
            crash.note("JavaStackTrace: malformed JavaStackTrace")
            public = _MALFORMED
        return {"java_stack_trace": public, "java_stack_trace_raw": raw}


class Breadcrumbs(Rule):
    """``breadcrumbs``: the list of them, also where it comes within an object as Sentry has it."""

    writes = frozenset({"breadcrumbs"})

    def applies(self, crash: Crash) -> bool:
        """Only for crashes with breadcrumbs."""
        return bool(crash.annotations.get("Breadcrumbs"))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Take them as they are if they are what they should be."""
        found = crash.annotations["Breadcrumbs"]
        if isinstance(found, str):
            try:
                found = orjson.loads(found)
            except orjson.JSONDecodeError:
                crash.note("Breadcrumbs: malformed: not valid json")
                return {}
        if isinstance(found, dict) and "values" in found:
            found = found["values"]
        if not FIELDS["breadcrumbs"].shape.fits(found):
            crash.note("Breadcrumbs: malformed: not as the schema says")
            return {}
        return {"breadcrumbs": found}


def _without_messages(trace: str) -> str:
    """Return the class and the lines of the stack of a trace, without its message.

    A message may have several lines: it ends where a line begins with a tab and "at". Raises
    _MalformedTraceError.
    """
    lines = [line for line in trace.splitlines() if line.strip()]
    name = lines[0].partition(":")[0].strip() if lines else ""
    stack: list[str] = []
    for line in lines[1:]:
        if line.strip().startswith(_OTHER_EXCEPTIONS):
            break
        if line.startswith("\tat "):
            stack.append(line)
        elif stack and not line.startswith("\t"):
            raise _MalformedTraceError
    if not stack and not _CLASS.fullmatch(name):
        raise _MalformedTraceError
    return f"{name}\n" + "\n".join(stack)
