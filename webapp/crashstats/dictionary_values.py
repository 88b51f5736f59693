# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What crashes of the last days have in a field, for its page in the data dictionary."""

from collections.abc import Sequence
from dataclasses import dataclass

from socorro.fields import SearchField
from socorro.search import Bucket
from socorro.search.parse import parse_query
from webapp.crashstats import handles
from webapp.crashstats.links import Pair, search_url
from webapp.crashstats.values import any_text

DAYS = 7
_EXAMPLES = 5
_PRODUCTS = 12


@dataclass(frozen=True)
class Value:
    """A value of the field or a product, with the number of crashes and a search for them."""

    term: str
    count: int
    url: str


@dataclass(frozen=True)
class Usage:
    """How a search field was used lately: by how many crashes, with which values and products."""

    name: str
    total: int
    url: str
    values: tuple[Value, ...]
    products: tuple[Value, ...]


def usage(search: SearchField, *, may_see_protected: bool) -> Usage:
    """Return what crashes of the last DAYS days have in a field.

    Raises SearchUnavailable.
    """
    there: Pair = (search.name, "!__null__")
    parameters = {
        search.name: ["!__null__"],
        "_facets": [search.name, "product"],
        "_facets_size": [str(_PRODUCTS)],
        "_results_number": ["0"],
    }
    parsed = parse_query(parameters, may_see_protected=may_see_protected)
    result = handles.index().search(parsed.query)
    products = result.facets.get("product", ())
    return Usage(
        name=search.name,
        total=result.total,
        url=search_url([there]),
        values=_values(result.facets.get(search.name, ())[:_EXAMPLES], search, []),
        products=_values(products, search, [there], name="product"),
    )


def _values(
    buckets: Sequence[Bucket], search: SearchField, also: list[Pair], name: str = ""
) -> tuple[Value, ...]:
    """Return the buckets of a facet, each with a search; `name` is of another field's facet."""
    shown = []
    for bucket in buckets:
        term = any_text(bucket.term)
        pair = (name, f"={term}") if name else _pair(search, bucket.term, term)
        shown.append(Value(term, bucket.count, search_url([*also, pair])))
    return tuple(shown)


def _pair(search: SearchField, value: object, term: str) -> Pair:
    """Return the parameter that finds a value of the field."""
    if search.validation == "bool":
        return search.name, "__true__" if value is True or value == 1 else "!__true__"
    if search.validation == "datetime":
        return search.name, f">={term}"
    return search.name, f"={term}" if search.validation in ("str", "enum") else term
