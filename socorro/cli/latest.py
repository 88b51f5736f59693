# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The latest crashes, as the search index knows them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from socorro.search import (
    DateRange,
    Filter,
    Operator,
    Query,
    SearchIndex,
    Sort,
    open_index,
)
from socorro.search.query import MAX_RESULTS, MAX_SPAN, MAX_WINDOW
from socorro.settings import Settings


def latest_crash_ids(
    settings: Settings,
    count: int,
    *,
    product: str | None = None,
    signature: str | None = None,
) -> Iterator[str]:
    """Yield the ids of up to `count` processed crashes of the last year, the newest first.

    With `product` or `signature` only those that have exactly these. Raises SearchUnavailable.
    """
    filters = tuple(
        Filter(field, Operator.IS, (value,))
        for field, value in (("product", product), ("signature", signature))
        if value is not None
    )
    index = open_index(settings.search)
    seen: set[str] = set()
    try:
        for hit in _hits(index, filters, count):
            crash_id = str(hit["uuid"])
            # Crashes of one moment can be in two searches.
            if crash_id not in seen and len(seen) < count:
                seen.add(crash_id)
                yield crash_id
    finally:
        index.close()


def _hits(
    index: SearchIndex, filters: tuple[Filter, ...], count: int
) -> Iterator[Mapping[str, Any]]:
    """Yield hits, the newest first, at least `count` different ones if there are as many.

    A search reaches some thousand crashes deep; from there on, the next one starts at the date of
    the oldest crash so far.
    """
    now = datetime.now(UTC)
    start, end, offset = now - MAX_SPAN, now, 0
    number = min(count, MAX_RESULTS)
    while number:
        hits = index.search(_query(filters, DateRange(start, end), number, offset)).hits
        yield from hits
        if len(hits) < number:
            return
        offset += number
        if offset + number > MAX_WINDOW:
            oldest = _date(hits[-1]["date"])
            if oldest >= end:
                return  # more of one moment than a search can list: there is no way past them
            end, offset = oldest, 0


def _query(filters: tuple[Filter, ...], dates: DateRange, number: int, offset: int) -> Query:
    return Query(
        dates=dates,
        filters=filters,
        columns=("uuid", "date"),
        sort=(Sort("date", descending=True),),
        number=number,
        offset=offset,
    )


def _date(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
