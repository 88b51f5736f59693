# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Annotations that come as one JSON object."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from collector.notes import Notes
from collector.refusal import Refused

# Strings as a whole (one that never ends as well) and what stands between values.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{\]},]', re.DOTALL)
# Real reports have some hundred annotations; a million empty lists would take far more memory
# than they take bytes.
_MAX_TOKENS = 200_000


def parse_json_annotations(
    body: bytes, notes: Notes, *, max_depth: int, max_digits: int
) -> dict[str, Any]:
    """Return the object in a JSON part, ready to be stored as valid JSON again.

    Numbers that are not JSON (NaN, infinities, 1e999) are kept as their text, with a note. Raises
    Refused for what is not JSON, not an object, or beyond the limits.
    """
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        _check_structure(text, max_depth)
        loaded = json.loads(
            text,
            parse_int=_integer_reader(max_digits),
            parse_float=_float_reader(notes),
            parse_constant=_constant_reader(notes),
        )
    # UnicodeDecodeError and JSONDecodeError are ValueErrors.
    except ValueError as error:
        raise Refused("invalid_json") from error
    if not isinstance(loaded, dict):
        raise Refused("invalid_json_value")
    return loaded


def _check_structure(text: str, max_depth: int) -> None:
    """Refuse what would cost the parser its stack or far more memory than its size."""
    depth = 0
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count > _MAX_TOKENS:
            raise Refused("invalid_json")
        character = text[match.start()]
        if character in "[{":
            depth += 1
            if depth > max_depth:
                raise Refused("invalid_json")
        elif character in "]}":
            depth -= 1


def _integer_reader(max_digits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if len(text.lstrip("-")) > max_digits:
            raise ValueError("too many digits")
        return int(text)

    return read


def _float_reader(notes: Notes) -> Callable[[str], float | str]:
    def read(text: str) -> float | str:
        number = float(text)
        if math.isfinite(number):
            return number
        notes.add("a number that is too large was kept as text")
        return text

    return read


def _constant_reader(notes: Notes) -> Callable[[str], str]:
    def read(text: str) -> str:
        notes.add(f"{text} is not JSON and was kept as text")
        return text

    return read
