# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Turns the filters of a query into a tantivy query.

On one field, negated filters and ranges must all hold, and of the others any one; different
fields must all hold.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import tantivy

from socorro.fields import SEARCH_FIELDS, SearchField
from socorro.search.embedded.schema import (
    FRAMES,
    FRAMES_OF,
    WORD_ANALYZER,
    exact_name,
    milliseconds,
)
from socorro.search.query import Filter, Operator, Query, QueryError
from socorro.search.regex import check_length, escape, translate

_RANGES = frozenset(
    {
        Operator.GREATER,
        Operator.GREATER_OR_EQUAL,
        Operator.LESS,
        Operator.LESS_OR_EQUAL,
    }
)
_PATTERNS = frozenset({Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.REGEX})
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1

_Clause = tuple[tantivy.Occur, tantivy.Query]


def known_field(name: str) -> SearchField:
    """Return the search field of this name. Raises QueryError."""
    search = SEARCH_FIELDS.get(name)
    if search is None:
        raise QueryError(f"Unknown field {name[:100]!r}")
    return search


def compile_filters(query: Query, schema: tantivy.Schema) -> tantivy.Query:
    """Return the tantivy query for a query's dates and filters. Raises QueryError."""
    compiler = _Compiler(schema)
    clauses = [compiler.dates(query)]
    by_field: dict[str, list[Filter]] = {}
    for condition in query.filters:
        by_field.setdefault(condition.field, []).append(condition)
    for name, conditions in by_field.items():
        clauses += compiler.field(known_field(name), conditions)
    return tantivy.Query.boolean_query(clauses)


class _Compiler:
    """Compiles filters for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema

    def dates(self, query: Query) -> _Clause:
        start, end = milliseconds(query.dates.start), milliseconds(query.dates.end)
        return tantivy.Occur.Must, self._integers("date", start, end)

    def field(self, search: SearchField, conditions: list[Filter]) -> list[_Clause]:
        clauses: list[_Clause] = []
        alternatives: list[_Clause] = []
        for condition in conditions:
            compiled = self._condition(search, condition)
            if condition.negated:
                clauses.append((tantivy.Occur.MustNot, compiled))
            elif condition.operator in _RANGES:
                clauses.append((tantivy.Occur.Must, compiled))
            else:
                alternatives.append((tantivy.Occur.Should, compiled))
        if alternatives:
            clauses.append((tantivy.Occur.Must, tantivy.Query.boolean_query(alternatives)))
        return clauses

    def _condition(self, search: SearchField, condition: Filter) -> tantivy.Query:
        operator = condition.operator
        if operator is Operator.NULL:
            return self._missing(search)
        if operator is Operator.TRUE:
            return self._boolean(search, condition, [True])
        if not condition.values or (operator is not Operator.MATCHES and len(condition.values) > 1):
            raise QueryError(f"{search.name}: {operator} needs one value.")
        return _COMPILERS[_kind(search)](self, search, condition, list(condition.values))

    def _missing(self, search: SearchField) -> tantivy.Query:
        exists = tantivy.Query.exists_query(exact_name(search))
        return tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, tantivy.Query.all_query()),
                (tantivy.Occur.MustNot, exists),
            ]
        )

    def _boolean(self, search: SearchField, condition: Filter, values: list[Any]) -> tantivy.Query:
        if search.storage != "boolean" or not all(isinstance(value, bool) for value in values):
            raise _bad_value(search)
        if condition.operator not in (Operator.MATCHES, Operator.IS, Operator.TRUE):
            raise _bad_operator(search, condition)
        return self._any([tantivy.Query.term_query(self._schema, search.name, v) for v in values])

    def _date(self, search: SearchField, condition: Filter, values: list[Any]) -> tantivy.Query:
        moment = values[0]
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise _bad_value(search)
        if condition.operator not in _RANGES:
            raise QueryError(f"{search.name} must have a prefix operator")
        return self._integers(search.name, *_bounds(condition.operator, milliseconds(moment)))

    def _integer(self, search: SearchField, condition: Filter, values: list[Any]) -> tantivy.Query:
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise _bad_value(search)
        if condition.operator in _RANGES:
            return self._integers(search.name, *_bounds(condition.operator, values[0]))
        if condition.operator not in (Operator.MATCHES, Operator.IS):
            raise _bad_operator(search, condition)
        return self._any([self._integers(search.name, value, value) for value in values])

    def _integers(self, name: str, low: int, high: int) -> tantivy.Query:
        """Return a query for a range with both ends included, of which any may be out of reach."""
        low, high = max(low, _MIN_INTEGER), min(high, _MAX_INTEGER)
        if low > high:
            return tantivy.Query.empty_query()
        return tantivy.Query.range_query(
            self._schema, name, tantivy.FieldType.Integer, lower_bound=low, upper_bound=high
        )

    def _float(self, search: SearchField, condition: Filter, values: list[Any]) -> tantivy.Query:
        numbers = [_finite(search, value) for value in values]
        operator, bound = condition.operator, numbers[0]
        if operator in _RANGES:
            upwards = operator in (Operator.GREATER, Operator.GREATER_OR_EQUAL)
            included = operator in (Operator.GREATER_OR_EQUAL, Operator.LESS_OR_EQUAL)
            low, high = (bound, math.inf) if upwards else (-math.inf, bound)
            return self._floats(search.name, low, high, included)
        if operator not in (Operator.MATCHES, Operator.IS):
            raise _bad_operator(search, condition)
        return self._any([self._floats(search.name, value, value, True) for value in numbers])

    def _floats(self, name: str, low: float, high: float, included: bool) -> tantivy.Query:
        return tantivy.Query.range_query(
            self._schema,
            name,
            tantivy.FieldType.Float,
            lower_bound=low,
            upper_bound=high,
            include_lower=included,
            include_upper=included,
        )

    def _text(self, search: SearchField, condition: Filter, values: list[Any]) -> tantivy.Query:
        if not all(isinstance(value, str) for value in values):
            raise _bad_value(search)
        # A lone surrogate is in no indexed text; the replacement keeps it from being an error.
        texts = [value.encode("utf-8", "replace").decode() for value in values]
        if search.storage == "semicolon" and condition.operator is not Operator.REGEX:
            texts = [text.lower() for text in texts]
        if condition.operator in _PATTERNS:
            return self._pattern(search, condition.operator, texts[0])
        if condition.operator is Operator.IS:
            return self._terms(exact_name(search), texts)
        if condition.operator is not Operator.MATCHES:
            raise _bad_operator(search, condition)
        return self._words(search, texts)

    def _words(self, search: SearchField, texts: list[str]) -> tantivy.Query:
        """Return a query for any word of the texts, or any text where there are no words."""
        if search.has_full:
            texts = [word for text in texts for word in WORD_ANALYZER.analyze(text)]
        elif search.storage == "semicolon":
            texts = [item for text in texts for item in text.split(";") if item]
        return self._terms(search.name, texts)

    def _terms(self, name: str, texts: list[str]) -> tantivy.Query:
        if not texts:
            return tantivy.Query.empty_query()
        return tantivy.Query.term_set_query(self._schema, name, texts)

    def _pattern(self, search: SearchField, operator: Operator, text: str) -> tantivy.Query:
        name = exact_name(search)
        if operator is Operator.REGEX:
            pattern = translate(text)
            if search.storage == "semicolon":
                pattern = "(?i)" + pattern
        else:
            part = escape(check_length(text))
            before = "" if operator is Operator.STARTS_WITH else ".*"
            after = "" if operator is Operator.ENDS_WITH else ".*"
            pattern = f"(?s){before}{part}{after}"
            if _is_within_frame(search, operator, text):
                name = FRAMES
        try:
            return tantivy.Query.regex_query(self._schema, name, pattern)
        except ValueError:
            raise QueryError(
                f"{search.name}: the search pattern is malformed or too complex. Simplify it and"
                " try again."
            ) from None

    def _any(self, queries: list[tantivy.Query]) -> tantivy.Query:
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _kind(search: SearchField) -> str:
    if search.storage in ("boolean", "date", "double"):
        return search.storage
    return "integer" if search.is_number else "text"


def _bounds(operator: Operator, value: int) -> tuple[int, int]:
    if operator is Operator.GREATER:
        return value + 1, _MAX_INTEGER
    if operator is Operator.GREATER_OR_EQUAL:
        return value, _MAX_INTEGER
    if operator is Operator.LESS:
        return _MIN_INTEGER, value - 1
    return _MIN_INTEGER, value


def _is_within_frame(search: SearchField, operator: Operator, text: str) -> bool:
    """Say whether the frames' own index, which is much smaller, answers as the whole text does."""
    return (
        search.name == FRAMES_OF
        and operator is Operator.CONTAINS
        and bool(text)
        and "|" not in text
        and text == text.strip(" ")
    )


def _finite(search: SearchField, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad_value(search)
    try:
        number = float(value)
    except OverflowError:
        raise _bad_value(search) from None
    if not math.isfinite(number):
        raise _bad_value(search)
    return number


def _bad_value(search: SearchField) -> QueryError:
    return QueryError(f"Bad value for parameter {search.name}: not a valid {search.validation}")


def _bad_operator(search: SearchField, condition: Filter) -> QueryError:
    return QueryError(f"{search.name}: {condition.operator} does not apply to this kind of field.")


_COMPILERS: Mapping[str, Callable[[_Compiler, SearchField, Filter, list[Any]], tantivy.Query]] = {
    "boolean": _Compiler._boolean,
    "date": _Compiler._date,
    "integer": _Compiler._integer,
    "double": _Compiler._float,
    "text": _Compiler._text,
}
