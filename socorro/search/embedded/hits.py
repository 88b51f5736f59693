# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The hits of a query in their order: by its sort fields, then by crash id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import tantivy

from socorro.fields import SearchField
from socorro.search.embedded.filters import known_field
from socorro.search.embedded.schema import exact_name, stored_source
from socorro.search.query import Query, QueryError, Sort

_DEFAULT_SORT = (Sort("date", descending=True),)
_UUIDS_PER_QUERY = 1000
# Up to here the sources of all hits before the window are read to put ties in order.
_FAST_WINDOW = 1000


@dataclass(frozen=True)
class First:
    """The sources of the hits in a query's window, and how many hits there are in all."""

    total: int
    sources: list[dict[str, Any]]


def check_columns(query: Query) -> None:
    """Raise QueryError for columns that do not exist or cannot be shown."""
    for column in query.columns:
        if not known_field(column).returned:
            raise QueryError(f"{column} cannot be shown.")


def sort_of(query: Query) -> list[tuple[SearchField, bool]]:
    """Return the sort fields of a query, each with whether it descends. Raises QueryError."""
    checked: list[tuple[SearchField, bool]] = []
    for order in query.sort or _DEFAULT_SORT:
        search = known_field(order.field)
        if search.many:
            raise QueryError(f"{order.field} can hold several values: no sorting by it.")
        if any(other is search for other, _ in checked):
            raise QueryError(f"The sort field {order.field} is there twice.")
        checked.append((search, order.descending))
    return checked


def first_by_number(
    searcher: tantivy.Searcher, filters: tantivy.Query, query: Query
) -> First | None:
    """Return the first hits by one number or date: the usual order, and fast.

    Returns None where the general way is needed: for other orders and far windows, and when the
    hits at the end of the window tie with hits behind it.
    """
    (search, descending), *others = sort_of(query)
    window = query.offset + query.number
    by_number = search.is_number or search.storage == "date"
    if others or not by_number or not query.number or window > _FAST_WINDOW:
        return None
    order = tantivy.Order.Desc if descending else tantivy.Order.Asc
    found = searcher.search(filters, limit=window + 1, order_by_field=search.name, order=order)
    hits = found.hits
    if len(hits) > window and hits[window - 1][0] == hits[window][0]:
        return None
    keyed = [(key, _source(searcher, address)) for key, address in hits[:window]]
    present = [(key, source) for key, source in keyed if key is not None]
    missing = [source for key, source in keyed if key is None]
    present.sort(key=lambda item: (-item[0] if descending else item[0], item[1]["uuid"]))
    missing.sort(key=lambda source: str(source["uuid"]))
    sources = [*(source for _, source in present), *missing]
    return First(found.count, sources[query.offset :])  # type: ignore[attr-defined]  # (stubs)


def order_of(query: Query) -> dict[str, Any]:
    """Return the request for the crash ids in the order of any sort fields, then crash id.

    Missing values come last. Raises QueryError.
    """
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
        for search, descending in sort_of(query)
    ]
    sources.append({"uuid": {"terms": {"field": "uuid", "order": "asc"}}})
    return {"composite": {"size": query.offset + query.number, "sources": sources}}


def sources_in(
    searcher: tantivy.Searcher, schema: tantivy.Schema, query: Query, order: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the sources of the hits in a query's window from the answer to `order_of`."""
    uuids = [bucket["key"]["uuid"] for bucket in order["buckets"]]
    return _sources(searcher, schema, uuids[query.offset :])


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
