# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Which crashes a search selects: by product, by signature, or by the address of a search."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import click

from socorro.cli.latest import crash_ids_of, matching_crash_ids
from socorro.crash_id import is_crash_id
from socorro.reprocessing.server import OtherServer, ServerRefused
from socorro.search import DateRange, Filter, Operator, Query, QueryError
from socorro.search.parse import parse_query
from socorro.search.query import MAX_SPAN
from socorro.settings import Settings

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Selection:
    """Which crashes are searched for: the `last` ones of those that match, all if that is None.

    `query` is the address of a search or its parameters: ``product=MyApp&signature=~Worker``.
    Without one it is the crashes of the last year; `product` and `signature` match exactly.
    """

    last: int | None = None
    product: str | None = None
    signature: str | None = None
    query: str | None = None

    def __bool__(self) -> bool:
        return self != Selection()

    @property
    def count(self) -> int:
        """How many crashes are wanted at most."""
        return sys.maxsize if self.last is None else self.last


def search_here(settings: Settings, selection: Selection) -> Iterator[str]:
    """Yield the ids that the index of this installation finds, the newest first.

    Raises click.UsageError for a wrong query, and SearchUnavailable.
    """
    query = _checked_query(selection)
    try:
        yield from matching_crash_ids(settings, query, selection.count)
    except QueryError as error:
        raise click.UsageError(f"--query: {error}") from error


def search_there(server: OtherServer, selection: Selection) -> Iterator[str]:
    """Yield the ids that another server finds, the newest first.

    Raises click.UsageError, QueueUnavailable and ServerRefused.
    """
    # Servers leave out what they do not know, and would find too much.
    query = _checked_query(selection)
    pairs = _pairs(selection.query) if selection.query is not None else []
    pairs += [(name, f"={value}") for name, value in _exact(selection)]
    if not any(name == "date" for name, _ in pairs):
        pairs.append(("date", f">={query.dates.start.isoformat(timespec='seconds')}"))

    def page(end: datetime | None, number: int, offset: int) -> Sequence[Mapping[str, Any]]:
        window = [
            *(("_columns", name) for name in ("uuid", "date")),
            ("_facets_size", "0"),
            ("_results_number", str(number)),
            ("_results_offset", str(offset)),
            ("_sort", "-date"),
        ]
        bound = [("date", f"<={end.isoformat()}")] if end else []
        hits = server.search([*pairs, *bound, *window])
        if not all(is_crash_id(hit.get("uuid")) and _is_moment(hit.get("date")) for hit in hits):
            raise ServerRefused("the server found crashes without a crash id or a date.")
        return hits

    yield from crash_ids_of(page, selection.count)


def _checked_query(selection: Selection) -> Query:
    """Return the query; a parameter that would be ignored is refused. Raises click.UsageError."""
    exact = tuple(Filter(name, Operator.IS, (value,)) for name, value in _exact(selection))
    if selection.query is None:
        return Query(DateRange.last(MAX_SPAN), exact)
    pairs = _pairs(selection.query)
    if not pairs:
        raise click.UsageError("--query: give parameters of a search: product=MyApp&version=1.0")
    parameters: dict[str, list[str]] = {}
    for name, value in pairs:
        parameters.setdefault(name, []).append(value)
    try:
        parsed = parse_query(parameters, may_see_protected=True, now=datetime.now(UTC))
    except QueryError as error:
        raise click.UsageError(f"--query: {error}") from error
    if parsed.warnings:
        raise click.UsageError(f"--query: {' '.join(parsed.warnings)}")
    return Query(parsed.query.dates, parsed.query.filters + exact)


def _pairs(query: str) -> Pairs:
    """Return the parameters that select crashes; how results are shown selects none."""
    text = query.strip()
    if "://" in text or text.startswith("/"):
        try:
            text = urlsplit(text).query
        except ValueError as error:
            raise click.UsageError(f"--query: not an address: {text[:80]!r}") from error
    pairs = parse_qsl(text.removeprefix("?"))
    return [(name, value) for name, value in pairs if name != "page" and not name.startswith("_")]


def _exact(selection: Selection) -> Pairs:
    given = (("product", selection.product), ("signature", selection.signature))
    return [(name, value) for name, value in given if value is not None]


def _is_moment(value: object) -> bool:
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False
