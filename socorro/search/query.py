# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The query model: what a search asks, whatever engine answers and whatever form it came in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MAX_RESULTS = 1000
MAX_WINDOW = 10_000
MAX_FACET_SIZE = 10_000
MAX_SPAN = timedelta(days=365)
DEFAULT_SPAN = timedelta(days=7)


class QueryError(ValueError):
    """The query cannot be answered. The text is a sentence for the person who wrote it."""


class Operator(StrEnum):
    """How a filter compares. The values are the names that forms and documents use."""

    MATCHES = "matches"
    IS = "is"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    REGEX = "regex"
    GREATER = "greater"
    GREATER_OR_EQUAL = "greater_or_equal"
    LESS = "less"
    LESS_OR_EQUAL = "less_or_equal"
    NULL = "null"
    TRUE = "true"


@dataclass(frozen=True)
class Filter:
    """One condition on one field.

    `values` are texts, numbers or booleans of the field's type; several of a MATCHES filter mean
    any of them. NULL and TRUE take none, the others take one.
    """

    field: str
    operator: Operator
    values: tuple[str | int | float | bool | datetime, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class DateRange:
    """From `start` (included) up to `end` (included), aware."""

    start: datetime
    end: datetime

    @classmethod
    def last(cls, span: timedelta = DEFAULT_SPAN, now: datetime | None = None) -> "DateRange":
        """Return the range of the given length that ends now."""
        end = now or datetime.now(UTC)
        return cls(end - span, end)

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise QueryError("The start of the date range is after its end.")
        # A little slack: "365 days" typed as two dates includes the end's time of day.
        if self.end - self.start > MAX_SPAN + timedelta(days=1):
            raise QueryError("Date range is bigger than 365 days")


@dataclass(frozen=True)
class Facet:
    """Counts of a field's values, most frequent first, each with facets of its own."""

    field: str
    size: int = 50
    facets: tuple["Facet", ...] = ()


@dataclass(frozen=True)
class Histogram:
    """Counts of a date or number field in steps of `interval` (milliseconds for dates)."""

    field: str
    interval: float
    facets: tuple[Facet, ...] = ()


@dataclass(frozen=True)
class Sort:
    """An order of the hits by one field."""

    field: str
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """A search. Filters of different fields, and negated ones, must all hold."""

    dates: DateRange
    filters: tuple[Filter, ...] = ()
    columns: tuple[str, ...] = ("uuid", "date", "signature", "product", "version")
    facets: tuple[Facet, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    sort: tuple[Sort, ...] = ()
    number: int = 100
    offset: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.number <= MAX_RESULTS:
            raise QueryError(f"_results_number must be between 0 and {MAX_RESULTS:,}")
        if self.offset < 0 or self.offset + self.number > MAX_WINDOW:
            raise QueryError(
                f"_results_offset + _results_number must be between 0 and {MAX_WINDOW:,}"
            )
