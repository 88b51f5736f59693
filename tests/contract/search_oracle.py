# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a search must answer, by looking at every document: slow, short and without an index."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from socorro.fields import SEARCH_FIELDS
from socorro.search import (
    Bucket,
    DateRange,
    Facet,
    Filter,
    Histogram,
    Operator,
    Query,
    SearchResult,
)

Document = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORD = re.compile(r"\w+(?:[.':]\w+)*")
_RANGES: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}
_TEXTS: Mapping[Operator, Callable[[str, str], bool]] = {
    Operator.IS: operator.eq,
    Operator.CONTAINS: operator.contains,
    Operator.STARTS_WITH: str.startswith,
    Operator.ENDS_WITH: str.endswith,
    Operator.REGEX: lambda value, pattern: bool(re.fullmatch(pattern, value, re.DOTALL)),
}


def answer(documents: Sequence[Document], query: Query) -> SearchResult:
    """Return what the index must answer when it holds these documents."""
    found = [document for document in documents if matches(document, query)]
    hits = sort(found, query)[query.offset : query.offset + query.number]
    return SearchResult(
        len(found),
        tuple({column: hit.get(column) for column in query.columns} for hit in hits),
        {facet.field: facet_buckets(found, facet) for facet in query.facets},
        {histogram.field: histogram_buckets(found, histogram) for histogram in query.histograms},
    )


def milliseconds(value: datetime | str) -> int:
    """Return a moment to the millisecond, which is how exact dates are."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def values_of(document: Document, field: str) -> list[Any]:
    """Return the values of a field that a filter or a facet sees."""
    value = document.get(field)
    search = SEARCH_FIELDS[field]
    if value is None:
        return []
    if search.storage == "semicolon":
        return list(dict.fromkeys(item for item in value.lower().split(";") if item))
    if search.storage == "date":
        return [milliseconds(value)]
    return list(dict.fromkeys(value)) if isinstance(value, list) else [value]


def matches(document: Document, query: Query) -> bool:
    """Say whether a document is in the range of dates and passes the filters of every field."""
    (date,) = values_of(document, "date") or [math.inf]
    if not milliseconds(query.dates.start) <= date <= milliseconds(query.dates.end):
        return False
    return all(
        field_passes(document, field, [f for f in query.filters if f.field == field])
        for field in {f.field for f in query.filters}
    )


def field_passes(document: Document, field: str, filters: Sequence[Filter]) -> bool:
    """Negations and ranges must all hold; of the others any one, if there are any."""
    values = values_of(document, field)
    must = [f for f in filters if f.negated or f.operator in _RANGES]
    may = [f for f in filters if f not in must]
    if not all(passes(values, f) != f.negated for f in must):
        return False
    return not may or any(passes(values, f) for f in may)


def passes(values: Sequence[Any], condition: Filter) -> bool:
    """Say whether any of the values is what the filter asks, negation aside."""
    if condition.operator is Operator.NULL:
        return not values
    if condition.operator is Operator.TRUE:
        return True in values
    return any(
        passes_one(value, condition, asked) for value in values for asked in condition.values
    )


def passes_one(value: Any, condition: Filter, asked: Any) -> bool:
    """Compare one value with one asked value."""
    search = SEARCH_FIELDS[condition.field]
    if condition.operator in _RANGES:
        bound = milliseconds(asked) if isinstance(asked, datetime) else asked
        return _RANGES[condition.operator](value, bound)
    if not isinstance(value, str):
        return bool(value == asked)
    if search.storage == "semicolon":
        asked = asked.lower()
    if condition.operator is not Operator.MATCHES:
        return _TEXTS[condition.operator](value, asked)
    if search.storage == "semicolon":
        return value in asked.split(";")
    if search.has_full:
        return not set(_WORD.findall(value.lower())).isdisjoint(_WORD.findall(asked.lower()))
    return bool(value == asked)


def sort(found: Sequence[Document], query: Query) -> list[Document]:
    """Order by the sort fields, missing values last, then by crash id."""
    ordered = sorted(found, key=lambda document: document["uuid"])
    orders = [(s.field, s.descending) for s in query.sort] or [("date", True)]
    for field, descending in reversed(orders):
        present = [document for document in ordered if values_of(document, field)]
        missing = [document for document in ordered if not values_of(document, field)]
        present.sort(key=lambda document: values_of(document, field)[0], reverse=descending)
        ordered = present + missing
    return ordered


def facet_buckets(found: Sequence[Document], facet: Facet) -> tuple[Bucket, ...]:
    """Count the documents that have each value; the most frequent first, ties by the value."""
    groups: dict[Any, list[Document]] = {}
    for document in found:
        for value in values_of(document, facet.field):
            groups.setdefault(value, []).append(document)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[: facet.size]
    return tuple(
        Bucket(
            as_term(facet.field, value),
            len(group),
            {inner.field: facet_buckets(group, inner) for inner in facet.facets},
        )
        for value, group in ordered
    )


def histogram_buckets(found: Sequence[Document], histogram: Histogram) -> tuple[Bucket, ...]:
    """Count the documents in each step; steps without documents are left out."""
    groups: dict[float, list[Document]] = {}
    for document in found:
        for value in values_of(document, histogram.field):
            step = math.floor(value / histogram.interval) * histogram.interval
            groups.setdefault(step, []).append(document)
    return tuple(
        Bucket(
            as_term(histogram.field, step),
            len(group),
            {inner.field: facet_buckets(group, inner) for inner in histogram.facets},
        )
        for step, group in sorted(groups.items())
    )


def as_term(field: str, value: Any) -> Any:
    """Return a value as a bucket has it: dates are moments."""
    if SEARCH_FIELDS[field].storage == "date":
        return _EPOCH + timedelta(milliseconds=value)
    return value


def everything(documents: Sequence[Document]) -> DateRange:
    """Return the range of dates that just holds all documents."""
    dates = [datetime.fromisoformat(document["date"]) for document in documents]
    return DateRange(min(dates), max(dates))
