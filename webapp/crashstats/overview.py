# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The figures of the home page, from two searches."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from socorro.search import Bucket, DateRange, Facet, Histogram, Query, Sort
from socorro.search.query import MAX_SPAN
from webapp.crashstats import handles
from webapp.crashstats.links import exactly, search_url, signature_url
from webapp.crashstats.values import moment, text

DAYS = 7
_DAY_MS = 86_400_000
_LATEST = 15
_MOST_PRODUCTS = 24
_COLUMNS = ("uuid", "date", "signature", "product", "version", "platform")


@dataclass(frozen=True)
class Counted:
    """A value, how many crashes have it, and where to see them."""

    term: str
    count: int
    url: str


@dataclass(frozen=True)
class Day:
    """One bar of a chart that is 140 wide and 40 high: the count of a day, and the rectangle."""

    date: datetime
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Product:
    """One product's crashes of the last days."""

    name: str
    description: str
    count: int
    url: str
    days: tuple[Day, ...]
    signatures: tuple[Counted, ...]
    versions: tuple[Counted, ...]


@dataclass(frozen=True)
class Row:
    """One crash of a list."""

    crash_id: str
    date: datetime | None
    signature: str
    signature_url: str
    product: str
    version: str
    platform: str


@dataclass(frozen=True)
class Overview:
    """What the home page shows; without any `latest` there never was a crash."""

    total: int
    products: tuple[Product, ...]
    latest: tuple[Row, ...]


def overview(now: datetime | None = None) -> Overview:
    """Return the figures of the last days, and the latest crashes of the last year.

    Raises SearchUnavailable.
    """
    now = now or datetime.now(UTC)
    end = now + timedelta(minutes=5)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=DAYS - 1)
    recent = handles.index().search(
        Query(
            dates=DateRange(start, end),
            columns=_COLUMNS,
            facets=(
                Facet(
                    "product",
                    _MOST_PRODUCTS,
                    facets=(Facet("signature", 3), Facet("version", 4)),
                ),
            ),
            histograms=(Histogram("date", _DAY_MS, facets=(Facet("product", _MOST_PRODUCTS),)),),
            sort=(Sort("date", descending=True),),
            number=_LATEST,
        )
    )
    hits = recent.hits if recent.total else _latest_ever(end)
    per_day = {bucket.term: _counts(bucket) for bucket in recent.histograms.get("date", ())}
    days = [start + timedelta(days=number) for number in range(DAYS)]
    products = sorted(recent.facets.get("product", ()), key=_place)
    return Overview(
        total=recent.total,
        products=tuple(_product(bucket, days, per_day) for bucket in products),
        latest=tuple(row_of(hit) for hit in hits),
    )


def row_of(hit: Mapping[str, Any]) -> Row:
    """Return a hit of a search as a row of a list."""
    date, signature = moment_of(hit.get("date")), text(hit.get("signature"))
    return Row(
        crash_id=text(hit.get("uuid")),
        date=date,
        signature=signature,
        signature_url=signature_url(signature, date) if signature else "",
        product=text(hit.get("product")),
        version=text(hit.get("version")),
        platform=text(hit.get("platform")),
    )


def moment_of(value: Any) -> datetime | None:
    """Return the date of a hit, which an engine may give as a datetime or as text."""
    return value if isinstance(value, datetime) else moment(value)


def _latest_ever(end: datetime) -> tuple[Mapping[str, Any], ...]:
    query = Query(
        dates=DateRange(end - MAX_SPAN, end),
        columns=_COLUMNS,
        sort=(Sort("date", descending=True),),
        number=_LATEST,
    )
    return handles.index().search(query).hits


def _place(bucket: Bucket) -> tuple[float, int]:
    """Order products as their files say, then those without a file, the most frequent first."""
    described = handles.products().get(text(bucket.term))
    return (described.home_page_sort if described else math.inf, -bucket.count)


def _counts(bucket: Bucket) -> dict[str, int]:
    return {str(inner.term): inner.count for inner in bucket.facets.get("product", ())}


def _product(
    bucket: Bucket, days: list[datetime], per_day: Mapping[datetime, Mapping[str, int]]
) -> Product:
    name = text(bucket.term)
    filters = [exactly("product", name)]
    described = handles.products().get(name)
    counts = [per_day.get(day, {}).get(name, 0) for day in days]
    return Product(
        name=name,
        description=described.description if described else "",
        count=bucket.count,
        url=search_url(filters),
        days=tuple(_bars(days, counts)),
        signatures=tuple(
            Counted(
                text(inner.term),
                inner.count,
                search_url([*filters, exactly("signature", text(inner.term))]),
            )
            for inner in bucket.facets.get("signature", ())
        ),
        versions=tuple(
            Counted(
                text(inner.term),
                inner.count,
                search_url([*filters, exactly("version", text(inner.term))]),
            )
            for inner in bucket.facets.get("version", ())
        ),
    )


def _bars(days: list[datetime], counts: list[int]) -> Iterator[Day]:
    highest = max(counts) or 1
    for position, (day, count) in enumerate(zip(days, counts, strict=True)):
        # A day with a crash is higher than one without, whatever the highest is.
        height = max(4, round(count * 40 / highest)) if count else 2
        yield Day(day, count, x=position * 20 + 2, y=40 - height, height=height)
