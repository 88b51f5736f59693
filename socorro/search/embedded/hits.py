# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The hits of a query in their order: by its sort fields, then by crash id."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import tantivy

from socorro.fields import SearchField
from socorro.search.embedded.filters import known_field
from socorro.search.embedded.schema import exact_name, stored_source
from socorro.search.query import Query, QueryError, Sort

Hit = Mapping[str, Any]

_DEFAULT_SORT = (Sort("date", descending=True),)
_UUIDS_PER_QUERY = 1000
# Up to here the sources of all hits before the window are read to put ties in order.
_FAST_WINDOW = 1000


def find_hits(
    searcher: tantivy.Searcher, schema: tantivy.Schema, filters: tantivy.Query, query: Query
) -> tuple[Hit, ...]:
    """Return the asked columns of the hits in the query's window. Raises QueryError."""
    for column in query.columns:
        if not known_field(column).returned:
            raise QueryError(f"{column} cannot be shown.")
    sort = _checked_sort(query.sort or _DEFAULT_SORT)
    if not query.number:
        return ()
    window = query.offset + query.number
    sources = _numbers_first(searcher, filters, sort, window) if window <= _FAST_WINDOW else None
    if sources is None:
        uuids = _composite(searcher, filters, sort, window)[query.offset :]
        sources = _sources(searcher, schema, uuids)
    else:
        sources = sources[query.offset :]
    return tuple({column: source.get(column) for column in query.columns} for source in sources)


def _checked_sort(sort: Sequence[Sort]) -> list[tuple[SearchField, bool]]:
    checked: list[tuple[SearchField, bool]] = []
    for order in sort:
        search = known_field(order.field)
        if search.many:
            raise QueryError(f"{order.field} can hold several values: no sorting by it.")
        if any(other is search for other, _ in checked):
            raise QueryError(f"The sort field {order.field} is there twice.")
        checked.append((search, order.descending))
    return checked


def _numbers_first(
    searcher: tantivy.Searcher,
    filters: tantivy.Query,
    sort: Sequence[tuple[SearchField, bool]],
    window: int,
) -> list[dict[str, Any]] | None:
    """Return the sources of the first hits by one number or date: the usual order, and fast.

    Returns None where the general way is needed: for other orders, and when the hits at the end
    of the window tie with hits behind it.
    """
    search, descending = sort[0]
    if len(sort) > 1 or not (search.is_number or search.storage == "date"):
        return None
    order = tantivy.Order.Desc if descending else tantivy.Order.Asc
    found = searcher.search(
        filters, limit=window + 1, count=False, order_by_field=search.name, order=order
    ).hits
    if len(found) > window and found[window - 1][0] == found[window][0]:
        return None
    keyed = [(key, _source(searcher, address)) for key, address in found[:window]]
    missing = [source for key, source in keyed if key is None]
    present = [(key, source) for key, source in keyed if key is not None]
    present.sort(key=lambda item: (-item[0] if descending else item[0], item[1]["uuid"]))
    missing.sort(key=lambda source: str(source["uuid"]))
    return [source for _, source in present] + missing


def _composite(
    searcher: tantivy.Searcher,
    filters: tantivy.Query,
    sort: Sequence[tuple[SearchField, bool]],
    window: int,
) -> list[str]:
    """Return the crash ids of the first hits by any fields, then crash id; missing values last."""
    sources: list[dict[str, Any]] = [
        {
            f"sort {search.name}": {
                "terms": {
                    "field": exact_name(search),
                    "order": "desc" if descending else "asc",
                    "missing_bucket": True,
                    "missing_order": "last",
                }
            }
        }
        for search, descending in sort
    ]
    sources.append({"uuid": {"terms": {"field": "uuid", "order": "asc"}}})
    answer = searcher.aggregate(
        filters, {"order": {"composite": {"size": window, "sources": sources}}}
    )
    return [bucket["key"]["uuid"] for bucket in answer["order"]["buckets"]]


def _sources(
    searcher: tantivy.Searcher, schema: tantivy.Schema, uuids: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the sources of these crashes in this order."""
    by_uuid: dict[str, dict[str, Any]] = {}
    for start in range(0, len(uuids), _UUIDS_PER_QUERY):
        batch = list(uuids[start : start + _UUIDS_PER_QUERY])
        wanted = tantivy.Query.term_set_query(schema, "uuid", batch)
        for _, address in searcher.search(wanted, limit=len(batch), count=False).hits:
            source = _source(searcher, address)
            by_uuid[source["uuid"]] = source
    return [by_uuid[uuid] for uuid in uuids]


def _source(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> dict[str, Any]:
    source: dict[str, Any] = orjson.loads(stored_source(searcher, address))
    return source
