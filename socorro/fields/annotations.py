# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Copies annotations into a processed crash, each as the registry types it."""

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from socorro.fields.model import Field
from socorro.fields.registry import FIELDS

# As far as JSON libraries agree on integers: what 64 bits hold, with or without a sign.
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_MAX_NUMBER_LENGTH = 400
_BOOLEANS: Mapping[str, bool] = {"1": True, "true": True, "0": False, "false": False}


class _BadValue(Exception):
    """An annotation's value cannot be converted. The text is public and never holds the value."""


def copy_annotations(raw_crash: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields that come from annotations, and notes about values that are no good.

    Annotations are texts when they come as form fields, and any JSON when they come as JSON. A
    missing or null annotation gives the field's default or no field; a bad one gives a note and
    no field. The notes are public: they hold no values.
    """
    copied: dict[str, Any] = {}
    notes: list[str] = []
    for annotation, field, convert in _COPIES:
        value = raw_crash.get(annotation)
        if value is None:
            if field.default is not None:
                copied[field.name] = field.default
            continue
        try:
            copied[field.name] = convert(field, value)
        except _BadValue as error:
            notes.append(f"{annotation} {error}")
    return copied, notes


def _string(_field: Field, value: Any) -> str:
    if isinstance(value, str):
        return value.rstrip()
    if isinstance(value, bool):
        return "1" if value else "0"
    return json.dumps(value, separators=(",", ":"))


def _boolean(_field: Field, value: Any) -> bool:
    # str() of True is "True", of 1 is "1"; of anything longer than a word it is not made.
    if isinstance(value, str | bool) or value in (0, 1):
        known = _BOOLEANS.get(str(value)[:10].lower())
        if known is not None:
            return known
    raise _BadValue("has non-boolean value")


def _integer(_field: Field, value: Any) -> int:
    """Texts are read as Python reads them: spaces around, and underscores or any script within.

    In JSON, a fraction is cut off and truth values are 1 and 0.
    """
    number = None
    if isinstance(value, int | float) or _is_short_text(value):
        with suppress(ValueError, OverflowError):  # also of NaN and infinity
            number = int(value)
    if number is None or not _SMALLEST <= number <= _LARGEST:
        raise _BadValue("has a non-int value")
    return number


def _number(_field: Field, value: Any) -> float:
    number = math.nan
    if isinstance(value, int | float) or _is_short_text(value):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number):
        raise _BadValue("has a non-float value")
    return number


def _is_short_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_NUMBER_LENGTH


def _object(field: Field, value: Any) -> Any:
    decoded = _decode(value) if isinstance(value, str) else value
    if decoded is None or not field.shape.fits(decoded):
        raise _BadValue(f"value is malformed {field.name}")
    return decoded


def _decode(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:  # slower, but takes lone surrogates
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _BadValue("value is malformed json") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_CONVERTERS: Mapping[str, Callable[[Field, Any], Any]] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "object": _object,
    "array": _object,
}
_COPIES = [
    (field.annotation, field, _CONVERTERS[field.type])
    for field in FIELDS.values()
    if field.annotation is not None
]
