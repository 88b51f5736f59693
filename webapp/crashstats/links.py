# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Addresses of searches, as links on other pages."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.urls import reverse
from django.utils.http import urlencode

from socorro.search.query import DEFAULT_SPAN, MAX_SPAN

Pair = tuple[str, str]


def search_url(parameters: Iterable[Pair]) -> str:
    """Return the address of a search; parameters are named and written as in Super Search."""
    query = urlencode(list(parameters))
    address = reverse("crashstats:search")
    return f"{address}?{query}" if query else address


def exactly(field: str, value: str) -> Pair:
    """Return the parameter that finds a value of a text field and nothing else.

    Without the operator, words of the value would do, in upper or lower case.
    """
    return field, f"={value}"


def window_around(date: datetime | None, now: datetime | None = None) -> Sequence[Pair]:
    """Return the date parameters with which a search finds a crash of that date.

    None are needed while the default window reaches back to it.
    """
    now = now or datetime.now(UTC)
    if date is None or date > now - DEFAULT_SPAN + timedelta(hours=1):
        return []
    begin = ("date", f">={date:%Y-%m-%d}")
    if date > now - MAX_SPAN + timedelta(days=1):
        return [begin]
    return [begin, ("date", f"<{date + MAX_SPAN - timedelta(days=1):%Y-%m-%d}")]


def signature_url(signature: str, date: datetime | None = None) -> str:
    """Return the address of a search for exactly this signature, reaching back to `date`."""
    return search_url([exactly("signature", signature), *window_around(date)])
