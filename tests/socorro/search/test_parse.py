# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Super Search parameters become queries, or a sentence says what is wrong."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.fields import SEARCH_FIELDS
from socorro.search import DateRange, Facet, Filter, Histogram, Operator, Query, QueryError, Sort
from socorro.search.parse import ParsedQuery, parse_query

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def parse(*, protected: bool = False, **parameters: str | Sequence[str]) -> ParsedQuery:
    """Parse parameters; ``aggs_x`` stands for ``_aggs.x`` and the like."""
    values = {
        name: [value] if isinstance(value, str) else list(value)
        for name, value in parameters.items()
    }
    return parse_query(values, may_see_protected=protected, now=NOW)


def test_without_parameters_the_last_seven_days_are_asked() -> None:
    assert parse() == ParsedQuery(
        Query(
            dates=DateRange(NOW - timedelta(days=7), NOW),
            facets=(Facet("signature"),),
        )
    )


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("signature", "foo bar", Filter("signature", Operator.MATCHES, ("foo bar",))),
        ("signature", "=foo", Filter("signature", Operator.IS, ("foo",))),
        ("signature", "=", Filter("signature", Operator.IS, ("",))),
        ("signature", "~foo", Filter("signature", Operator.CONTAINS, ("foo",))),
        ("signature", "^foo", Filter("signature", Operator.STARTS_WITH, ("foo",))),
        ("signature", "$foo", Filter("signature", Operator.ENDS_WITH, ("foo",))),
        ("signature", "@fo+", Filter("signature", Operator.REGEX, ("fo+",))),
        ("signature", "!=foo", Filter("signature", Operator.IS, ("foo",), negated=True)),
        ("signature", "!!foo", Filter("signature", Operator.MATCHES, ("!foo",), negated=True)),
        ("signature", "__null__", Filter("signature", Operator.NULL)),
        ("signature", "!__null__", Filter("signature", Operator.NULL, negated=True)),
        ("signature", "__true__", Filter("signature", Operator.MATCHES, ("__true__",))),
        ("signature", ">5", Filter("signature", Operator.MATCHES, (">5",))),
        ("product", "=Demo", Filter("product", Operator.IS, ("Demo",))),
        ("uptime", "5", Filter("uptime", Operator.MATCHES, (5,))),
        ("uptime", ">=-5", Filter("uptime", Operator.GREATER_OR_EQUAL, (-5,))),
        ("uptime", "<5", Filter("uptime", Operator.LESS, (5,))),
        ("uptime_ts", "<=1.5", Filter("uptime_ts", Operator.LESS_OR_EQUAL, (1.5,))),
        ("safe_mode", "__true__", Filter("safe_mode", Operator.TRUE)),
        ("safe_mode", "Yes", Filter("safe_mode", Operator.MATCHES, (True,))),
        ("safe_mode", "no", Filter("safe_mode", Operator.MATCHES, (False,))),
        ("addons_checked", "!1", Filter("addons_checked", Operator.MATCHES, (True,), negated=True)),
        ("version", "63.0b", Filter("version", Operator.STARTS_WITH, ("63.0b",))),
        ("version", "!63.0b", Filter("version", Operator.STARTS_WITH, ("63.0b",), negated=True)),
        ("version", "63.0b2", Filter("version", Operator.MATCHES, ("63.0b2",))),
        ("version", "=63.0b", Filter("version", Operator.IS, ("63.0b",))),
    ],
)
def test_a_value_has_its_operator_in_front(field: str, value: str, expected: Filter) -> None:
    parsed = parse(**{field: value})
    assert parsed.query.filters == (expected,)
    assert parsed.warnings == ()


def test_values_without_operator_are_alternatives() -> None:
    filters = parse(version=["1", "", "=2", "3", "!4", "!5"]).query.filters
    assert set(filters) == {
        Filter("version", Operator.MATCHES, ("1", "3")),
        Filter("version", Operator.IS, ("2",)),
        Filter("version", Operator.MATCHES, ("4",), negated=True),
        Filter("version", Operator.MATCHES, ("5",), negated=True),
    }


@pytest.mark.parametrize(
    ("values", "start", "end"),
    [
        ([">=2026-11-20"], datetime(2026, 11, 20, tzinfo=UTC), NOW),
        (["<2026-11-20"], None, datetime(2026, 11, 19, 23, 59, 59, 999000, tzinfo=UTC)),
        ([">2026-11-20 01:00"], datetime(2026, 11, 20, 1, 0, 0, 1000, tzinfo=UTC), NOW),
        (["<=2026-11-20T01:00:00+02:00"], None, datetime(2026, 11, 19, 23, tzinfo=UTC)),
        ([">2026-01-01", ">=2026-11-19", ">=2026-11-18"], datetime(2026, 11, 19, tzinfo=UTC), NOW),
        (["!<2026-11-20"], datetime(2026, 11, 20, tzinfo=UTC), NOW),
        (["__null__"], NOW - timedelta(days=7), NOW),
    ],
)
def test_the_tightest_dates_count(values: list[str], start: datetime | None, end: datetime) -> None:
    assert parse(date=values).query.dates == DateRange(start or end - timedelta(days=7), end)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"date": "2026-11-20"}, "date must have a prefix operator"),
        ({"date": ">=x"}, "Bad value for parameter date: not a valid datetime"),
        ({"date": "<0001-01-01"}, "Bad value for parameter date: not a valid datetime"),
        ({"date": "<=0001-01-02"}, "Bad value for parameter date: not a valid datetime"),
        ({"date": ">9999-12-31T23:59:59.9999"}, "not a valid datetime"),
        ({"date": ">=2020-01-01"}, "Date range is bigger than 365 days"),
        ({"date": [">=2026-11-20", "<2026-11-19"]}, "The start of the date range is after its end"),
        ({"uptime": "x"}, "Bad value for parameter uptime: not a valid int"),
        ({"uptime": ">" + "9" * 5000}, "Bad value for parameter uptime: not a valid int"),
        ({"uptime_ts": "nan"}, "Bad value for parameter uptime_ts: not a valid float"),
        ({"_results_number": "1001"}, "_results_number cannot be greater than 1,000"),
        ({"_results_number": "-1"}, "_results_number cannot be negative"),
        ({"_results_number": "many"}, "Bad value for parameter _results_number: not a valid int"),
        ({"_results_offset": "-1"}, "_results_offset cannot be negative"),
        (
            {"_results_offset": "9901", "_results_number": "100"},
            "_results_offset + _results_number cannot be greater than 10,000",
        ),
        (
            {"_facets_size": "10001"},
            "Bad value for parameter(s) '_facets_size greater than 10,000'",
        ),
        ({"_columns": ["uuid", "nope"]}, "Unknown field 'nope'"),
        ({"_columns": "mdsw_status_string"}, "Unknown field 'mdsw_status_string'"),
        (
            {"_histogram.date": "product", "_histogram_interval.date": "month"},
            "Bad value for parameter(s) '_histogram_interval.date'",
        ),
    ],
)
def test_a_bad_value_is_refused_with_its_parameter(
    parameters: dict[str, str | list[str]], sentence: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse(**parameters)
    assert sentence in str(caught.value)


def test_facets_and_aggregations_of_one_field_are_joined() -> None:
    query = parse(
        **{
            "_facets": ["product", "version", "_histogram.uptime"],
            "_aggs.product": ["platform", "version"],
            "_aggs.product.version": "platform",
            "_histogram.date": ["product"],
            "_histogram_interval.date": "12h",
            "_histogram_interval.uptime": "60",
            "_facets_size": "7",
        }
    ).query
    assert query.facets == (
        Facet(
            "product",
            7,
            (Facet("platform", 7), Facet("version", 7, (Facet("platform", 7),))),
        ),
        Facet("version", 7),
    )
    assert query.histograms == (
        Histogram("uptime", 60),
        Histogram("date", 12 * 3_600_000, (Facet("product", 7),)),
    )


def test_a_facets_size_of_zero_asks_for_no_facets() -> None:
    query = parse(**{"_facets_size": "0", "_facets": "product", "_histogram.date": "product"}).query
    assert query.facets == query.histograms == ()


def test_sorting_and_columns() -> None:
    query = parse(_sort=["-date", "uptime", "date"], _columns=["uuid", "date", "uuid"]).query
    assert query.sort == (Sort("date", descending=True), Sort("uptime"))
    assert query.columns == ("uuid", "date")


def test_what_does_not_exist_is_ignored_and_said() -> None:
    parsed = parse(
        nope="1",
        mdsw_status_string="=OK",
        _nope="1",
        _sort="-nope",
        _facets=["nope", "product"],
        _fields="x",
    )
    assert parsed.query.filters == ()
    assert parsed.query.facets == (Facet("product"),)
    assert set(parsed.warnings) == {
        "The field 'nope' is not known and was ignored.",
        "The field 'mdsw_status_string' is not known and was ignored.",
        "The parameter '_nope' is not known and was ignored.",
    }


def test_protected_fields_are_ignored_without_permission_and_that_is_said() -> None:
    parameters = {
        "url": "~x",
        "_facets": ["url", "product"],
        "_aggs.product": "url",
        "_aggs.url.product": "version",
        "_sort": "url",
        "_columns": ["uuid", "url"],
    }
    query = parse(**parameters).query
    assert query.filters == query.sort == ()
    assert query.facets == (Facet("product"),)
    assert query.columns == ("uuid",)
    assert parse(**parameters).warnings == (
        "The field 'url' is for users who may see protected data and was ignored.",
    )
    allowed = parse(protected=True, **parameters)
    assert allowed.warnings == ()
    assert allowed.query.columns == ("uuid", "url")
    assert allowed.query.filters[0].field == "url"


_NAMES = st.sampled_from(
    [
        *SEARCH_FIELDS,
        *["_facets", "_columns", "_sort", "_facets_size", "_results_number", "_results_offset"],
        *["_aggs.product", "_aggs.url.version", "_aggs.", "_histogram.date", "_histogram.uptime"],
        *["_histogram.url", "_histogram_interval.date", "_", "token"],
    ]
)
_VALUES = st.text(max_size=10) | st.sampled_from(
    [
        *["", "!", "=", ">=2026-11-20", "<2026-11-22", "5", "-1", "1e5", "__null__", "!__true__"],
        *["product", "-url", "_histogram.date", "_cardinality.url", "\x00", "\ud800", "day", "1d"],
    ]
)


def fields_of(query: Query) -> set[str]:
    """Return every field that a query names."""
    facets = [*query.facets]
    named = {f.field for f in query.filters} | {s.field for s in query.sort} | {*query.columns}
    for histogram in query.histograms:
        named.add(histogram.field)
        facets += histogram.facets
    while facets:
        facet = facets.pop()
        named.add(facet.field)
        facets += facet.facets
    return named


@given(st.dictionaries(_NAMES, st.lists(_VALUES, max_size=3), max_size=5))
def test_any_parameters_give_a_query_without_protected_fields_or_a_sentence(
    parameters: dict[str, list[str]],
) -> None:
    try:
        parsed = parse_query(parameters, may_see_protected=False, now=NOW)
    except QueryError:
        return
    assert not any(SEARCH_FIELDS[name].protected for name in fields_of(parsed.query))
