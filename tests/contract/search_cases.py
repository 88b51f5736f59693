# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Generated crashes and queries over all kinds of search fields."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from socorro.fields import SEARCH_FIELDS
from socorro.search import DateRange, Facet, Filter, Histogram, Operator, Query, Sort

DAY = datetime(2026, 11, 20, tzinfo=UTC)

_WORDS = ["Foo", "bar::Baz<T>", "a.b", "it's", "x_y", "(lambda)", "[abort]", "0x1", "Été", "*?\\"]
_texts = st.lists(st.sampled_from(_WORDS), max_size=3).map(" ".join) | st.sampled_from(
    ["", "foo", "Foo\nbar", "OOM | small", "-", "Firefox", "Firefox Focus"]
)
_frames = st.lists(st.sampled_from(["main", "a::b<c | d>", "Foo(int)", "f", ""]), max_size=4)
_keywords = st.sampled_from(["1.0", "1.0b3", "1.0b10", "2.0", "2.0a1", "", "1.0B3"])
_symbols = st.lists(
    st.sampled_from(["libA.so/1/ABC", "liba.so/1/abc", "b.dll/None/0F", " c "]), max_size=3
)
_integers = st.sampled_from([-(2**63), -5, 0, 1, 59, 60, 61, 3600, 2**63 - 1])
_floats = st.sampled_from([-2.5, 0.0, 0.25, 1.0, 1.5, 1e12])
_seconds = st.integers(0, 86_399_999_999)

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "signature": _texts,
    "product": _texts,
    "proto_signature": _frames.map(" | ".join),
    "version": _keywords,
    "process_type": _keywords,
    "addons": st.lists(_keywords, min_size=1, max_size=4),
    "missing_symbols": _symbols.map(";".join),
    "uptime": _integers,
    "crashing_thread": st.integers(-2, 4),
    "uptime_ts": _floats,
    "safe_mode": st.booleans(),
    "startup_crash": st.booleans(),
}
_ASKED: dict[str, st.SearchStrategy[Any]] = FIELDS | {
    "addons": _keywords,
    "missing_symbols": st.sampled_from(["LIBA.so/1/abc", "b.dll", "abc;b.dll/none/0f", " c ", "1"]),
    "proto_signature": st.sampled_from(
        ["main", "b<c", "c | d", " | ", "f | main", "", " ", "int)"]
    ),
}
_PATTERNS = [
    "",
    ".*",
    "Foo.*",
    ".*b.*",
    "(Foo|bar).*",
    "[0-9.]+",
    "1\\.0b[0-9]+",
    "x?_?y?",
    ".*T>",
]
_RANGES = [
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
]
_PARTS = [Operator.IS, Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH]

documents = st.fixed_dictionaries({"seconds": _seconds}, optional=FIELDS)


def document(values: dict[str, Any], number: int, day: datetime = DAY) -> dict[str, Any]:
    """Return a generated document as the index takes it, with the crash id of this number."""
    date = day + timedelta(microseconds=values["seconds"])
    rest = {name: value for name, value in values.items() if name != "seconds"}
    # The semicolon fields and texts are there only when they say something, as in real documents.
    return {"uuid": f"{number:08x}-0000-0000-0000-000000261120", "date": date.isoformat(), **rest}


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    """Return a filter that fits its field."""
    field = draw(st.sampled_from(sorted(_ASKED)))
    negated = draw(st.booleans())
    search, asked = SEARCH_FIELDS[field], _ASKED[field]
    if draw(st.integers(0, 9)) == 0:
        return Filter(field, Operator.NULL, negated=negated)
    if search.storage == "boolean":
        if draw(st.booleans()):
            return Filter(field, Operator.TRUE, negated=negated)
        return Filter(field, Operator.MATCHES, (draw(asked),), negated)
    if draw(st.booleans()):
        return Filter(
            field, Operator.MATCHES, tuple(draw(st.lists(asked, min_size=1, max_size=3))), negated
        )
    if search.is_number:
        return Filter(field, draw(st.sampled_from(_RANGES)), (draw(asked),), negated)
    if draw(st.integers(0, 3)) == 0:
        return Filter(field, Operator.REGEX, (draw(st.sampled_from(_PATTERNS)),), negated)
    return Filter(field, draw(st.sampled_from(_PARTS)), (draw(asked),), negated)


_facet_fields = st.sampled_from(sorted(FIELDS))
_leaves = st.builds(Facet, _facet_fields, st.integers(1, 5))


def _unique(facets: list[Any]) -> tuple[Any, ...]:
    return tuple({facet.field: facet for facet in facets}.values())


_facets = st.recursive(
    _leaves,
    lambda inner: st.builds(
        Facet, _facet_fields, st.integers(1, 5), st.lists(inner, max_size=2).map(_unique)
    ),
    max_leaves=4,
)
_histograms = st.builds(
    Histogram,
    st.sampled_from(["crashing_thread", "uptime_ts"]),
    st.sampled_from([1, 2, 0.5]),
    st.lists(_leaves, max_size=1).map(tuple),
) | st.builds(
    Histogram,
    st.just("date"),
    st.sampled_from([60_000.0, 3_600_000.0, 86_400_000.0]),
    st.lists(_leaves, max_size=1).map(tuple),
)
_sorts = st.builds(
    Sort,
    st.sampled_from(
        sorted(name for name in ["date", "uuid", *FIELDS] if not SEARCH_FIELDS[name].many)
    ),
    st.booleans(),
)


@st.composite
def queries(draw: st.DrawFn, day: datetime = DAY) -> Query:
    """Return a query over one day's documents."""
    start, end = sorted([draw(_seconds), draw(_seconds)]) if draw(st.booleans()) else (0, 86_400e6)
    return Query(
        dates=DateRange(day + timedelta(microseconds=start), day + timedelta(microseconds=end)),
        filters=tuple(draw(st.lists(filters(), max_size=4))),
        columns=tuple(draw(st.permutations(["uuid", "date", "signature", "uptime", "addons"]))[:3]),
        facets=_unique(draw(st.lists(_facets, max_size=2))),
        histograms=_unique(draw(st.lists(_histograms, max_size=2))),
        sort=_unique(draw(st.lists(_sorts, max_size=3))),
        number=draw(st.integers(0, 30)),
        offset=draw(st.integers(0, 40)),
    )
