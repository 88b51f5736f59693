# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Super Search parameters, as a URL has them, to a query.

What a search names that does not exist, or that the caller may not see, is left out with a
warning; a value that cannot be what was meant is a QueryError that names its parameter.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from socorro.fields import SEARCH_FIELDS, SearchField
from socorro.search.query import (
    DEFAULT_SPAN,
    MAX_FACET_SIZE,
    MAX_RESULTS,
    MAX_WINDOW,
    DateRange,
    Facet,
    Filter,
    Histogram,
    Operator,
    Query,
    QueryError,
    Sort,
)
from socorro.search.values import filters_of, parse_integer, parse_value

Parameters = Mapping[str, Sequence[str]]

_DATE = "date"
_AGGS, _HISTOGRAM, _INTERVAL = "_aggs.", "_histogram.", "_histogram_interval."
_KNOWN = frozenset(
    {
        "_columns",
        "_facets",
        "_facets_size",
        "_fields",
        "_results_number",
        "_results_offset",
        "_return_query",
        "_sort",
    }
)
_DEFAULT_FACETS = ("signature",)
_DEFAULT_FACETS_SIZE = 50
_MILLISECOND = timedelta(milliseconds=1)
_STEP = re.compile(r"([1-9][0-9]{0,5})?(second|minute|hour|day|s|m|h|d)s?", re.ASCII)
_STEP_MILLISECONDS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

# A tree of facets: field names to the tree of facets within each.
_Tree = dict[str, "_Tree"]


@dataclass(frozen=True)
class ParsedQuery:
    """A query, and sentences about what was left out of it."""

    query: Query
    warnings: tuple[str, ...] = ()


def parse_query(
    params: Parameters, *, may_see_protected: bool, now: datetime | None = None
) -> ParsedQuery:
    """Return the query that Super Search parameters mean. Raises QueryError.

    `params` maps each parameter to its values in their order. `now` ends a date range that has
    no end of its own.
    """
    parser = _Parser(params, may_see_protected)
    query = parser.query(now or datetime.now(UTC))
    return ParsedQuery(query, tuple(dict.fromkeys(parser.warnings)))


class _Parser:
    """Reads the parameters of one search and collects warnings."""

    def __init__(self, params: Parameters, may_see_protected: bool) -> None:
        self._params = params
        self._may_see_protected = may_see_protected
        self.warnings: list[str] = []

    def query(self, now: datetime) -> Query:
        facets_size = self._number("_facets_size", _DEFAULT_FACETS_SIZE)
        if facets_size > MAX_FACET_SIZE:
            raise QueryError("Bad value for parameter(s) '_facets_size greater than 10,000'")
        facets, histograms = self._groups(facets_size) if facets_size else ((), ())
        dates, filters = self._filters(now)
        number, offset = self._window()
        return Query(
            dates=dates,
            filters=filters,
            columns=self._columns(),
            facets=facets,
            histograms=histograms,
            sort=self._sort(),
            number=number,
            offset=offset,
        )

    def _filters(self, now: datetime) -> tuple[DateRange, tuple[Filter, ...]]:
        filters: list[Filter] = []
        dates: list[Filter] = []
        for name, values in self._params.items():
            if name.startswith("_"):
                self._check_known(name)
                continue
            search = self._field(name)
            if search is not None:
                target = dates if search.name == _DATE else filters
                target += filters_of(search, values)
        return _date_range(dates, now), tuple(filters)

    def _check_known(self, name: str) -> None:
        if name not in _KNOWN and not name.startswith((_AGGS, _HISTOGRAM, _INTERVAL)):
            self.warnings.append(f"The parameter {name[:100]!r} is not known and was ignored.")

    def _field(self, name: str) -> SearchField | None:
        """Return a field that the caller may use; leave out others with a warning."""
        search = SEARCH_FIELDS.get(name)
        if search is None or not search.exposed:
            self.warnings.append(f"The field {name[:100]!r} is not known and was ignored.")
            return None
        if search.protected and not self._may_see_protected:
            self.warnings.append(
                f"The field {name!r} is for users who may see protected data and was ignored."
            )
            return None
        return search

    def _values(self, name: str) -> list[str]:
        return [value for value in self._params.get(name, ()) if value]

    def _number(self, name: str, default: int) -> int:
        values = self._values(name)
        if not values:
            return default
        number = parse_integer(values[-1])
        if number is None:
            raise QueryError(f"Bad value for parameter {name}: not a valid int")
        if number < 0:
            raise QueryError(f"{name} cannot be negative")
        return number

    def _window(self) -> tuple[int, int]:
        number = self._number("_results_number", 100)
        offset = self._number("_results_offset", 0)
        if number > MAX_RESULTS:
            raise QueryError(f"_results_number cannot be greater than {MAX_RESULTS:,}")
        if number + offset > MAX_WINDOW:
            raise QueryError(
                f"_results_offset + _results_number cannot be greater than {MAX_WINDOW:,}"
            )
        return number, offset

    def _columns(self) -> tuple[str, ...]:
        columns = []
        for name in self._values("_columns") or Query.columns:
            search = SEARCH_FIELDS.get(name)
            if search is None or not search.exposed or not search.returned:
                raise QueryError(f"Unknown field {name[:100]!r}")
            if self._field(name):
                columns.append(name)
        return tuple(dict.fromkeys(columns))

    def _sort(self) -> tuple[Sort, ...]:
        orders: dict[str, Sort] = {}
        for value in self._values("_sort"):
            search = self._field(value.removeprefix("-"))
            if search is not None:
                orders.setdefault(search.name, Sort(search.name, value.startswith("-")))
        return tuple(orders.values())

    def _groups(self, size: int) -> tuple[tuple[Facet, ...], tuple[Histogram, ...]]:
        tree: _Tree = {}
        histograms: dict[str, _Tree] = {}
        for value in self._values("_facets") or _DEFAULT_FACETS:
            if value.startswith(_HISTOGRAM):
                self._add_histogram(histograms, value.removeprefix(_HISTOGRAM), ())
            else:
                self._add_facets(tree, [value])
        for name in self._params:
            values = self._values(name)
            if name.startswith(_AGGS):
                for value in values:
                    self._add_facets(tree, [*name.removeprefix(_AGGS).split("."), value])
            elif name.startswith(_HISTOGRAM):
                self._add_histogram(histograms, name.removeprefix(_HISTOGRAM), values)
        return _facets(tree, size), tuple(
            Histogram(name, self._interval(name), _facets(inner, size))
            for name, inner in histograms.items()
        )

    def _add_facets(self, tree: _Tree, path: Sequence[str]) -> None:
        for name in path:
            search = self._field(name)
            if search is None:
                return
            tree = tree.setdefault(search.name, {})

    def _add_histogram(
        self, histograms: dict[str, _Tree], name: str, facets: Sequence[str]
    ) -> None:
        search = self._field(name)
        if search is not None:
            tree = histograms.setdefault(search.name, {})
            for facet in facets:
                self._add_facets(tree, [facet])

    def _interval(self, name: str) -> float:
        parameter = f"{_INTERVAL}{name}"
        values = self._values(parameter)
        search = SEARCH_FIELDS[name]
        if search.storage != "date":
            return float(parse_value(search, values[-1])) if values else 1.0
        match = _STEP.fullmatch(values[-1] if values else "day")
        if not match:
            raise QueryError(f"Bad value for parameter(s) '{parameter}'")
        count, unit = match.groups()
        return int(count or 1) * _STEP_MILLISECONDS[unit[0]]


def _facets(tree: _Tree, size: int) -> tuple[Facet, ...]:
    return tuple(Facet(name, size, _facets(inner, size)) for name, inner in tree.items())


def _date_range(filters: Sequence[Filter], now: datetime) -> DateRange:
    """Return the range that all bounds leave; without an upper one it ends now."""
    lowest: list[datetime] = []
    highest: list[datetime] = []
    for condition in filters:
        if condition.operator is Operator.NULL:
            continue
        start, end = _bounds(condition)
        lowest += [start] if start else []
        highest += [end] if end else []
    end = min(highest, default=now)
    try:
        start = max(lowest, default=end - DEFAULT_SPAN)
    except OverflowError:
        raise QueryError("Bad value for parameter date: not a valid datetime") from None
    return DateRange(start, end)


def _bounds(condition: Filter) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last moment that a condition allows, to the millisecond."""
    moment = condition.values[0]
    if not isinstance(moment, datetime):
        raise QueryError("Bad value for parameter date: not a valid datetime")
    upper = condition.operator in (Operator.LESS, Operator.LESS_OR_EQUAL)
    included = condition.operator in (Operator.LESS_OR_EQUAL, Operator.GREATER_OR_EQUAL)
    if condition.negated:
        upper, included = not upper, not included
    try:
        if upper:
            return None, moment if included else moment - _MILLISECOND
        return moment if included else moment + _MILLISECOND, None
    except OverflowError:
        raise QueryError("Bad value for parameter date: not a valid datetime") from None
