# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Super Search: one query model, and the engines that answer it.

`open_index` turns a URL from the settings into a backend; everything else in the system knows
only the `SearchIndex` interface and the query model.
"""

from socorro.search.base import SearchIndex, SearchUnavailable
from socorro.search.query import (
    DateRange,
    Facet,
    Filter,
    Histogram,
    Operator,
    Query,
    QueryError,
    Sort,
)
from socorro.search.result import Bucket, SearchResult

__all__ = [
    "Bucket",
    "DateRange",
    "Facet",
    "Filter",
    "Histogram",
    "Operator",
    "Query",
    "QueryError",
    "SearchIndex",
    "SearchResult",
    "SearchUnavailable",
    "Sort",
    "open_index",
]


def open_index(url: str) -> SearchIndex:
    """Return the index that a URL such as ``embedded:///var/lib/socorro/search`` names.

    Raises ValueError for another scheme.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "embedded" and rest:
        # Imported here: the engine is a big library that an Elasticsearch deployment never loads.
        from socorro.search.embedded import EmbeddedIndex

        return EmbeddedIndex(rest)
    raise ValueError(f"unknown search engine {url!r}: use embedded://FOLDER")
