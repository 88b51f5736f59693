# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Facets and histograms: tantivy takes Elasticsearch's aggregations, and answers like it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from socorro.fields import SearchField
from socorro.search.embedded.filters import known_field
from socorro.search.embedded.schema import exact_name, moment_of
from socorro.search.query import MAX_FACET_SIZE, Facet, Histogram, Query, QueryError
from socorro.search.result import Bucket

# Each segment hands on its most frequent terms: so many that counts are exact in practice.
_SEGMENT_TERMS = 200_000
# tantivy orders ties by the term, but for whole and broken numbers of one field: some more are
# asked for, and put in order here.
_DOUBLE_TIES = 200
_MAX_DEPTH = 8

Buckets = Mapping[str, tuple[Bucket, ...]]


def aggregations_of(query: Query) -> dict[str, Any]:
    """Return the request for the facets and histograms of a query. Raises QueryError."""
    request = {f"facet {name}": body for name, body in _facets(query.facets).items()}
    return request | {
        f"histogram {name}": body for name, body in _histograms(query.histograms).items()
    }


def facets_in(query: Query, answer: Mapping[str, Any]) -> Buckets:
    """Return the facets of a query from the answer to its request."""
    return {
        facet.field: _facet_buckets(facet, answer[f"facet {facet.field}"]) for facet in query.facets
    }


def histograms_in(query: Query, answer: Mapping[str, Any]) -> Buckets:
    """Return the histograms of a query from the answer to its request."""
    return {
        histogram.field: _histogram_buckets(histogram, answer[f"histogram {histogram.field}"])
        for histogram in query.histograms
    }


def _facets(facets: Sequence[Facet], depth: int = 1) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        raise QueryError(f"Facets can be nested {_MAX_DEPTH} levels deep at most.")
    request: dict[str, Any] = {}
    for facet in facets:
        search = known_field(facet.field)
        if not 1 <= facet.size <= MAX_FACET_SIZE:
            raise QueryError(f"_facets_size must be between 1 and {MAX_FACET_SIZE:,}")
        if facet.field in request:
            raise QueryError(f"The facet {facet.field} is there twice.")
        terms = {
            "field": exact_name(search),
            "size": facet.size + (_DOUBLE_TIES if search.storage == "double" else 0),
            "segment_size": _SEGMENT_TERMS,
        }
        request[facet.field] = {"terms": terms, "aggs": _facets(facet.facets, depth + 1)}
    return request


def _histograms(histograms: Sequence[Histogram]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for histogram in histograms:
        search = known_field(histogram.field)
        if not (search.is_number or search.storage == "date"):
            raise QueryError(f"{histogram.field} is not a number or a date: no histogram of it.")
        if not (math.isfinite(histogram.interval) and histogram.interval > 0):
            raise QueryError(f"Bad value for parameter(s) '_histogram_interval.{histogram.field}'")
        if histogram.field in request:
            raise QueryError(f"The histogram {histogram.field} is there twice.")
        body = {"field": search.name, "interval": histogram.interval, "min_doc_count": 1}
        request[histogram.field] = {"histogram": body, "aggs": _facets(histogram.facets)}
    return request


def _facet_buckets(facet: Facet, answer: Mapping[str, Any]) -> tuple[Bucket, ...]:
    search = known_field(facet.field)
    buckets = [
        Bucket(_term(search, bucket["key"]), bucket["doc_count"], _inner(facet.facets, bucket))
        for bucket in answer["buckets"]
    ]
    # Ties by the term, so that an answer does not depend on how the index is laid out.
    buckets.sort(key=lambda bucket: (-bucket.count, bucket.term))
    return tuple(buckets[: facet.size])


def _histogram_buckets(histogram: Histogram, answer: Mapping[str, Any]) -> tuple[Bucket, ...]:
    search = known_field(histogram.field)
    return tuple(
        Bucket(_step(search, bucket["key"]), bucket["doc_count"], _inner(histogram.facets, bucket))
        for bucket in answer["buckets"]
    )


def _inner(facets: Sequence[Facet], bucket: Mapping[str, Any]) -> Buckets:
    return {facet.field: _facet_buckets(facet, bucket[facet.field]) for facet in facets}


def _term(search: SearchField, key: Any) -> Any:
    if search.storage == "boolean":
        return bool(key)
    if search.storage == "date":
        return moment_of(key)
    return float(key) if search.storage == "double" else key


def _step(search: SearchField, key: float) -> Any:
    if search.storage == "date":
        return moment_of(key)
    return int(key) if search.storage != "double" and key == int(key) else key
