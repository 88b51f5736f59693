# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Shutdown that took too long: the signature names what it waited for."""

import json
from typing import Any

from socorro.signature.draft import Draft


class _NotUnderstood(Exception):
    """The annotation is JSON, but not what it should be."""


def name_shutdown_timeout(draft: Draft) -> None:
    """ "AsyncShutdownTimeout | phase | condition,condition" in place of the signature."""
    annotation = draft.crash.async_shutdown_timeout
    if not annotation:
        return
    try:
        signature = f"AsyncShutdownTimeout | {_waited_for(annotation)}"
    except (ValueError, RecursionError):
        signature = "AsyncShutdownTimeout | UNKNOWN"
        draft.note("the annotation is not JSON")
    except _NotUnderstood:
        draft.note("the annotation has an unexpected form, it is not used")
        return
    draft.note(f'it replaces the signature "{draft.signature[:255]}"')
    draft.signature = signature


def _waited_for(annotation: str) -> str:
    timeout = json.loads(annotation)
    if not isinstance(timeout, dict):
        raise _NotUnderstood
    phase = timeout.get("phase")
    label = phase if isinstance(phase, str) else "(unknown)"
    conditions = timeout.get("conditions") or []
    if not isinstance(conditions, (list, dict, str)):
        raise _NotUnderstood
    try:
        names = sorted(_condition_name(condition) for condition in conditions)
    except KeyError:
        return f"{label} | UNKNOWN"
    return f"{label} | {','.join(names) if names else '(none)'}"


def _condition_name(condition: Any) -> str:
    """A condition is its name, or an object that has one; raises KeyError if it has none."""
    return str(condition["name"] if isinstance(condition, dict) else condition)
