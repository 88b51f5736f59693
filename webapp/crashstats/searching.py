# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The search page: which query its address asks, and its answer ready to be shown.

Parameters are those of Super Search: ``signature==exact``, ``signature=~part``, ``product=Name``,
``date=>=2026-11-01``. The form's own parameters (`FORM_PARAMETERS`), which a browser without script
sends, are turned into those by a redirect, so that every search has one address to share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from socorro.search import Bucket, SearchResult
from socorro.search.query import MAX_WINDOW
from webapp.crashstats.links import Pair, exactly, search_url
from webapp.crashstats.overview import Row, row_of
from webapp.crashstats.values import text

PAGE_SIZE = 50
LAST_PAGE = MAX_WINDOW // PAGE_SIZE
FACETS = {
    "signature": "Signature",
    "product": "Product",
    "version": "Version",
    "platform": "Platform",
}
COLUMNS = {
    "date": "Date",
    "signature": "Signature",
    "product": "Product",
    "version": "Version",
    "platform": "Platform",
}
FORM_PARAMETERS = ("signature_operator", "signature_value", "date_from", "date_to")
OPERATORS = {
    "~": "contains",
    "=": "is exactly",
    "^": "starts with",
    "$": "ends with",
    "@": "matches regex",
    "": "has the words",
    "!~": "does not contain",
    "!=": "is not",
    "!^": "does not start with",
    "!$": "does not end with",
}
_WORDS = OPERATORS | {
    ">=": "from",
    "<": "before",
    ">": "after",
    "<=": "up to",
    "!": "has none of the words",
    "__null__": "is missing",
    "!__null__": "exists",
}
_FACET_SIZE = 12


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address of the same search without it."""

    field: str
    operator: str
    value: str
    without: str


@dataclass(frozen=True)
class Refinement:
    """A value of a facet. `url` adds it to the search, or takes it away where it is `active`."""

    term: str
    count: int
    share: int
    url: str
    active: bool


@dataclass(frozen=True)
class FacetView:
    """The most frequent values of one field."""

    field: str
    label: str
    terms: tuple[Refinement, ...]


@dataclass(frozen=True)
class Heading:
    """A column's heading: the address that sorts by it, and how it is sorted now."""

    label: str
    url: str
    order: str


@dataclass(frozen=True)
class Answer:
    """One page of what a search found."""

    total: int
    first: int
    rows: tuple[Row, ...]
    facets: tuple[FacetView, ...]
    headings: tuple[Heading, ...]
    previous_url: str
    next_url: str

    @property
    def last(self) -> int:
        """Return the place of the last row among all that was found."""
        return self.first + len(self.rows) - 1


@dataclass(frozen=True)
class Form:
    """What the form's fields hold; `kept` goes along unseen."""

    signature_operator: str
    signature: str
    product: str
    version: str
    platform: str
    date_from: str
    date_to: str
    kept: tuple[Pair, ...]


@dataclass(frozen=True)
class Search:
    """What an address asks: filters in its order, a sort order and a page from 1."""

    filters: tuple[Pair, ...]
    sort: str = "-date"
    page: int = 1

    def url(self, filters: Sequence[Pair] | None = None, sort: str = "", page: int = 1) -> str:
        """Return the address of this search with something else in it."""
        pairs = list(self.filters if filters is None else filters)
        sort = sort or self.sort
        if sort != "-date":
            pairs.append(("_sort", sort))
        if page > 1:
            pairs.append(("page", str(page)))
        return search_url(pairs)

    def parameters(self) -> dict[str, list[str]]:
        """Return the search as Super Search parameters."""
        asked: dict[str, list[str]] = {
            "_columns": ["uuid", *COLUMNS],
            "_facets": list(FACETS),
            "_facets_size": [str(_FACET_SIZE)],
            "_results_number": [str(PAGE_SIZE)],
            "_results_offset": [str((self.page - 1) * PAGE_SIZE)],
            "_sort": [self.sort],
        }
        for name, value in self.filters:
            asked.setdefault(name, []).append(value)
        return asked

    @property
    def chips(self) -> tuple[Chip, ...]:
        """Return the filters in words, each with the way out of it."""
        return tuple(
            Chip(
                name,
                *_in_words(value),
                self.url([pair for pair in self.filters if pair != (name, value)]),
            )
            for name, value in dict.fromkeys(self.filters)
        )

    def form(self) -> Form:
        """Return what the form holds: the first filter of each of its fields."""
        kept = list(self.filters)
        operator, signature = "~", ""
        for pair in self.filters:
            if pair[0] == "signature" and _operator(pair[1]) in OPERATORS:
                operator = _operator(pair[1])
                signature = pair[1].removeprefix(operator)
                kept.remove(pair)
                break
        simple = {field: _take(kept, field) for field in ("product", "version", "platform")}
        return Form(
            signature_operator=operator,
            signature=signature,
            date_from=_take_day(kept, ">=", 0),
            date_to=_take_day(kept, "<", -1),
            kept=tuple(kept),
            **simple,
        )

    def answer(self, result: SearchResult) -> Answer:
        """Return the answer of the engine, ready to be shown."""
        more = self.page * PAGE_SIZE < result.total and self.page < LAST_PAGE
        return Answer(
            total=result.total,
            first=(self.page - 1) * PAGE_SIZE + 1,
            rows=tuple(row_of(hit) for hit in result.hits),
            facets=tuple(
                self._facet(field, label, result.facets.get(field, ()), result.total)
                for field, label in FACETS.items()
            ),
            headings=tuple(self._heading(field, label) for field, label in COLUMNS.items()),
            previous_url=self.url(page=self.page - 1) if self.page > 1 else "",
            next_url=self.url(page=self.page + 1) if more else "",
        )

    def _facet(self, field: str, label: str, buckets: Sequence[Bucket], total: int) -> FacetView:
        terms = []
        for bucket in buckets:
            term = text(bucket.term)
            pair = exactly(field, term)
            active = pair in self.filters
            others = [other for other in self.filters if other != pair]
            # In place of the field's other filters: two values of one field would widen a search.
            narrowed = [p for p in others if p[0] != field or p[1].startswith("!")]
            url = self.url(others if active else [*narrowed, pair])
            share = round(bucket.count * 100 / total) if total else 0
            terms.append(Refinement(term, bucket.count, share, url, active))
        return FacetView(field, label, tuple(terms))

    def _heading(self, field: str, label: str) -> Heading:
        orders = {field: "ascending", f"-{field}": "descending"}
        # The newest first, but names from A.
        first, second = (f"-{field}", field) if field == "date" else (field, f"-{field}")
        target = second if self.sort == first else first
        return Heading(label, self.url(sort=target), orders.get(self.sort, ""))


def read_search(parameters: Mapping[str, Sequence[str]]) -> Search:
    """Return the search in the parameters of an address."""
    filters = tuple(
        (name, value)
        for name, values in parameters.items()
        for value in values
        if value and not name.startswith("_") and name != "page" and name not in FORM_PARAMETERS
    )
    sort = (list(parameters.get("_sort", ())) or ["-date"])[-1]
    known_sort = sort if sort.removeprefix("-") in COLUMNS else "-date"
    return Search(filters, known_sort, _page((list(parameters.get("page", ())) or ["1"])[-1]))


def address_for(parameters: Mapping[str, Sequence[str]]) -> str | None:
    """Return the address that a sent form stands for, None if this is an address already."""
    empty = any(not value for values in parameters.values() for value in values)
    if not empty and not any(name in parameters for name in FORM_PARAMETERS):
        return None
    search = read_search(parameters)

    def given(name: str) -> str:
        return (list(parameters.get(name, ())) or [""])[-1].strip()

    pairs = [pair for pair in search.filters if pair[0] != "date"]
    operator = given("signature_operator")
    if given("signature_value"):
        known = operator if operator in OPERATORS else "~"
        pairs.insert(0, ("signature", known + given("signature_value")))
    dates = [pair for pair in search.filters if pair[0] == "date"]
    if given("date_from"):
        dates.append(("date", f">={given('date_from')}"))
    if given("date_to"):
        dates.append(("date", f"<{_next_day(given('date_to'))}"))
    return search.url([*pairs, *dates])


def shortcuts(search: Search, now: datetime | None = None) -> tuple[tuple[str, str], ...]:
    """Return the usual time windows, each with the address of this search in it."""
    today = (now or datetime.now(UTC)).date()
    others = [pair for pair in search.filters if pair[0] != "date"]
    windows = (("Today", 0), ("3 days", 2), ("14 days", 13), ("30 days", 29), ("90 days", 89))
    return tuple(
        (label, search.url([*others, ("date", f">={today - timedelta(days=days)}")]))
        for label, days in windows
    )


def _page(value: str) -> int:
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 1
    return min(max(number, 1), LAST_PAGE)


def _operator(value: str) -> str:
    """Return the operator that a value begins with."""
    return next((o for o in sorted(_WORDS, key=len, reverse=True) if value.startswith(o)), "")


def _in_words(value: str) -> tuple[str, str]:
    operator = _operator(value)
    words = "is" if operator == "" else _WORDS[operator]
    return words, value.removeprefix(operator)


def _take(kept: list[Pair], field: str) -> str:
    """Take the first plain value of a field out of `kept` and return it."""
    for pair in kept:
        if pair[0] == field and not _operator(pair[1]):
            kept.remove(pair)
            return pair[1]
    return ""


def _take_day(kept: list[Pair], operator: str, offset: int) -> str:
    """Take the first bound of the date that is a whole day out of `kept` and return its day."""
    for pair in kept:
        if pair[0] == "date" and _operator(pair[1]) == operator:
            day = _day(pair[1].removeprefix(operator))
            if day is not None and day + timedelta(days=offset) > date.min:
                kept.remove(pair)
                return (day + timedelta(days=offset)).isoformat()
    return ""


def _next_day(day_text: str) -> str:
    """Return the day after; a text that is no day stays, for the query to be refused with it."""
    day = _day(day_text)
    return (day + timedelta(days=1)).isoformat() if day and day < date.max else day_text


def _day(day_text: str) -> date | None:
    try:
        return date.fromisoformat(day_text)
    except ValueError:
        return None
