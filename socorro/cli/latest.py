# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The latest crashes, as the search index knows them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from socorro.search import (
    DateRange,
    Filter,
    Operator,
    Query,
    Sort,
    open_index,
)
from socorro.search.query import MAX_RESULTS, MAX_SPAN, MAX_WINDOW
from socorro.settings import Settings

Page = Callable[[datetime | None, int, int], Sequence[Mapping[str, Any]]]


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
    yield from matching_crash_ids(settings, Query(DateRange.last(MAX_SPAN), filters), count)


def matching_crash_ids(settings: Settings, query: Query, count: int) -> Iterator[str]:
    """Yield the ids of up to `count` crashes that a query finds, the newest first.

    Raises SearchUnavailable, and QueryError for a query that the engine refuses.
    """
    index = open_index(settings.search)

    def page(end: datetime | None, number: int, offset: int) -> Sequence[Mapping[str, Any]]:
        dates = DateRange(query.dates.start, end) if end else query.dates
        return index.search(_query(query.filters, dates, number, offset)).hits

    try:
        yield from crash_ids_of(page, count)
    finally:
        index.close()


def crash_ids_of(page: Page, count: int) -> Iterator[str]:
    """Yield up to `count` different crash ids from the pages of a search.

    `page` is asked for hits, the newest first, with ``uuid`` and ``date``: those up to a moment
    (None for the end of the search), their number, and how many to leave out. A search reaches
    some thousand crashes deep; from there on, the next one ends at the date of the oldest crash
    so far.
    """
    seen: set[str] = set()
    for hit in _hits(page, count):
        crash_id = str(hit["uuid"])
        # Crashes of one moment can be in two searches.
        if crash_id not in seen and len(seen) < count:
            seen.add(crash_id)
            yield crash_id


def _hits(page: Page, count: int) -> Iterator[Mapping[str, Any]]:
    """Yield hits, the newest first, at least `count` different ones if there are as many."""
    end: datetime | None = None
    offset = 0
    number = min(count, MAX_RESULTS)
    while number:
        hits = page(end, number, offset)
        yield from hits
        if len(hits) < number:
            return
        offset += number
        if offset + number > MAX_WINDOW:
            oldest = _date(hits[-1]["date"])
            if end is not None and oldest >= end:
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
