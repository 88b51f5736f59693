# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Answers a query in as few passes over the index as it needs: one, or two for the usual order."""

from typing import Any

import tantivy

from socorro.search.embedded.aggregations import aggregations_of, facets_in, histograms_in
from socorro.search.embedded.filters import compile_filters
from socorro.search.embedded.hits import check_columns, first_by_number, order_of, sources_in
from socorro.search.query import Query, QueryError
from socorro.search.result import SearchResult


def answer(searcher: tantivy.Searcher, schema: tantivy.Schema, query: Query) -> SearchResult:
    """Return what a query finds. Raises QueryError."""
    check_columns(query)
    filters = compile_filters(query, schema)
    request = aggregations_of(query)
    first = first_by_number(searcher, filters, query)
    if first is None:
        request["total"] = {"value_count": {"field": "uuid"}}
        if query.number:
            request["order"] = order_of(query)
    answered = _aggregate(searcher, filters, request)
    if first is not None:
        total, sources = first.total, first.sources
    else:
        total = int(answered["total"]["value"])
        order = answered.get("order", {"buckets": []})
        sources = sources_in(searcher, schema, query, order)
    return SearchResult(
        total,
        tuple({column: source.get(column) for column in query.columns} for source in sources),
        facets_in(query, answered),
        histograms_in(query, answered),
    )


def _aggregate(
    searcher: tantivy.Searcher, filters: tantivy.Query, request: dict[str, Any]
) -> dict[str, Any]:
    if not request:
        return {}
    try:
        return searcher.aggregate(filters, request)
    except ValueError as error:
        raise QueryError(
            "The facets and histograms of this search make too many groups. Ask for fewer levels,"
            " fewer values or wider steps."
        ) from error
