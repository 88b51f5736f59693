# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The values of Super Search parameters: ``[!][operator]value`` to filters."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from socorro.fields import SearchField
from socorro.search.query import Filter, Operator, QueryError

_TEXT_OPERATORS = {
    "=": Operator.IS,
    "~": Operator.CONTAINS,
    "$": Operator.ENDS_WITH,
    "^": Operator.STARTS_WITH,
    "@": Operator.REGEX,
}
_RANGE_OPERATORS = {
    ">=": Operator.GREATER_OR_EQUAL,
    "<=": Operator.LESS_OR_EQUAL,
    "<": Operator.LESS,
    ">": Operator.GREATER,
}
# In the order in which they are tried; an enum takes the operators of texts as well.
_OPERATORS: Mapping[str, Mapping[str, Operator]] = {
    "str": _TEXT_OPERATORS,
    "enum": _TEXT_OPERATORS,
    "int": _RANGE_OPERATORS,
    "float": _RANGE_OPERATORS,
    "datetime": _RANGE_OPERATORS,
    "bool": {},
}
_NULL, _TRUE = "__null__", "__true__"
_TRUTHS = frozenset({"true", "t", "1", "y", "yes"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}", re.ASCII)
_BETA = re.compile(r"[0-9][0-9.]*b", re.ASCII)


def filters_of(search: SearchField, values: Sequence[str]) -> list[Filter]:
    """Return the filters that the values of a field's parameter mean. Raises QueryError.

    Values without an operator make one filter, of which any may match; negated ones make one
    filter each. An empty value says nothing.
    """
    filters = [_filter(search, value) for value in values if value]
    plain = [f for f in filters if f.operator is Operator.MATCHES and not f.negated]
    if len(plain) < 2:
        return filters
    together = tuple(value for f in plain for value in f.values)
    others = [f for f in filters if f not in plain]
    return [*others, Filter(search.name, Operator.MATCHES, together)]


def _filter(search: SearchField, value: str) -> Filter:
    negated = value.startswith("!")
    rest = value[1:] if negated else value
    if rest == _NULL:
        return Filter(search.name, Operator.NULL, negated=negated)
    if rest == _TRUE and search.validation == "bool":
        return Filter(search.name, Operator.TRUE, negated=negated)
    for prefix, operator in _OPERATORS[search.validation].items():
        if rest.startswith(prefix):
            parsed = parse_value(search, rest.removeprefix(prefix))
            return Filter(search.name, operator, (parsed,), negated)
    # "63.0b" stands for all betas of 63.0.
    if search.name == "version" and _BETA.fullmatch(rest):
        return Filter(search.name, Operator.STARTS_WITH, (rest,), negated)
    if search.validation == "datetime":
        raise QueryError(f"{search.name} must have a prefix operator")
    return Filter(search.name, Operator.MATCHES, (parse_value(search, rest),), negated)


def parse_value(search: SearchField, text: str) -> Any:
    """Return the text as a value of the field's type. Raises QueryError."""
    value = _PARSERS[search.validation](text)
    if value is None:
        raise QueryError(f"Bad value for parameter {search.name}: not a valid {search.validation}")
    return value


def parse_integer(text: str) -> int | None:
    """Return the whole number in a text, or None."""
    text = text.strip()
    return int(text) if _INTEGER.fullmatch(text) else None


def parse_datetime(text: str) -> datetime | None:
    """Return the aware moment that an ISO 8601 text names, or None; naive is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _parse_float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _parse_text(text: str) -> str:
    return text


def _parse_boolean(text: str) -> bool:
    return text.strip().lower() in _TRUTHS


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "str": _parse_text,
    "enum": _parse_text,
    "int": parse_integer,
    "float": _parse_float,
    "bool": _parse_boolean,
    "datetime": parse_datetime,
}
