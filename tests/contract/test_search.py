# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What every search engine promises."""

import contextlib
import multiprocessing
import random
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from socorro.fields import search_document
from socorro.search import (
    Bucket,
    DateRange,
    Facet,
    Filter,
    Histogram,
    Operator,
    Query,
    QueryError,
    SearchIndex,
    SearchResult,
    SearchUnavailable,
    Sort,
    open_index,
)
from tests.contract import search_oracle
from tests.contract.processes import lines, running, wait_until
from tests.contract.reports import new_id
from tests.contract.search_cases import DAY, FIELDS, document, documents, queries

TODAY = DateRange(DAY, DAY + timedelta(days=1))
ENGINES = ["embedded"]
_EXAMPLES = cast("settings", settings.default).max_examples


@pytest.fixture(params=ENGINES)
def index_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty index."""
    assert request.param == "embedded"
    return f"embedded://{tmp_path}/search"


@pytest.fixture
def quiet_index(index_url: str) -> Iterator[SearchIndex]:
    """An empty index whose background work nobody does."""
    index = open_index(index_url)
    yield index
    index.close()


@pytest.fixture
def index(quiet_index: SearchIndex) -> Iterator[SearchIndex]:
    """An empty index that works."""
    with indexing(quiet_index):
        yield quiet_index


@pytest.fixture(scope="module", params=ENGINES)
def full_index(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SearchIndex, list[dict[str, Any]]]]:
    """An index with a few hundred generated crashes, and those."""
    assert request.param == "embedded"
    index = open_index(f"embedded://{tmp_path_factory.mktemp('full')}")
    generated = sample(300)
    with indexing(index):
        put(index, generated)
        yield index, generated
    index.close()


class indexing:  # noqa: N801  # used as a context manager
    """Does an index's background work in a thread."""

    def __init__(self, index: SearchIndex) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=index.run_indexer, args=(self._stopping,))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join()


def sample(count: int) -> list[dict[str, Any]]:
    """Return documents mixed of generated values, the same at every run."""
    generated: list[dict[str, Any]] = []

    @settings(max_examples=100, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.lists(documents, min_size=5, max_size=5))
    def generate(some: list[dict[str, Any]]) -> None:
        generated.extend(some)

    generate()
    chooser = random.Random(7)
    return [document(_mixed(generated, chooser), number) for number in range(count)]


def _mixed(generated: Sequence[Mapping[str, Any]], chooser: random.Random) -> dict[str, Any]:
    values: dict[str, Any] = {"seconds": chooser.randrange(86_400) * 1_000_000}
    for name in FIELDS:
        if chooser.random() < 0.8:
            values[name] = chooser.choice([one[name] for one in generated if name in one])
    return values


def put(index: SearchIndex, added: Sequence[Mapping[str, Any]]) -> None:
    """Put documents and wait until they can be found."""
    for one in added:
        index.put(one)
    settle(index)


def settle(index: SearchIndex) -> None:
    """Wait until everything accepted can be found."""
    wait_until(lambda: index.pending() == 0, "all documents are indexed")


def crash(signature: str = "main", **values: Any) -> dict[str, Any]:
    """Return the document of a new crash."""
    return {"uuid": new_id(), "date": DAY.isoformat(), "signature": signature} | values


def find(index: SearchIndex, *filters: Filter, **query: Any) -> SearchResult:
    """Search today's crashes."""
    return index.search(Query(TODAY, filters, **query))


def test_a_document_is_found_as_it_was_put(index: SearchIndex) -> None:
    processed = {
        "uuid": new_id(),
        "date_processed": (DAY + timedelta(microseconds=1500)).isoformat(),
        "signature": "acme::Touch",
        "uptime": 5,
        "addons": ["a:1", "b:2"],
        "safe_mode": True,
    }
    put(index, [search_document(processed)])
    (hit,) = find(index, columns=("uuid", "date", "signature", "addons", "safe_mode", "url")).hits
    assert hit == {
        "uuid": processed["uuid"],
        "date": processed["date_processed"],
        "signature": "acme::Touch",
        "addons": ["a:1", "b:2"],
        "safe_mode": True,
        "url": None,
    }


def test_an_empty_index_has_no_hits(quiet_index: SearchIndex) -> None:
    quiet_index.verify()
    assert find(quiet_index, facets=(Facet("signature"),)) == SearchResult(
        0, (), {"signature": ()}, {}
    )
    assert quiet_index.containing([new_id()]) == frozenset()


def test_a_newer_document_of_a_crash_replaces_the_older(index: SearchIndex) -> None:
    old = crash("old")
    put(index, [old])
    put(index, [{**old, "signature": "newer"}])
    put(index, [{**old, "signature": "newest"}, crash("other")])
    assert sorted(hit["signature"] for hit in find(index).hits) == ["newest", "other"]


def test_of_many_versions_put_at_once_the_last_counts(index: SearchIndex) -> None:
    one = crash()
    put(index, [{**one, "signature": str(number)} for number in range(50)])
    assert [hit["signature"] for hit in find(index).hits] == ["49"]


def test_a_deleted_crash_is_gone_until_it_is_put_again(index: SearchIndex) -> None:
    one, other = crash(), crash()
    put(index, [one, other])
    index.delete(one["uuid"])
    index.delete(new_id())
    assert index.containing([one["uuid"], other["uuid"]]) == {other["uuid"]}
    settle(index)
    assert [hit["uuid"] for hit in find(index).hits] == [other["uuid"]]
    put(index, [one])
    assert find(index).total == 2


def test_what_is_accepted_counts_as_contained_before_it_is_indexed(
    quiet_index: SearchIndex,
) -> None:
    one, missing = crash(), new_id()
    quiet_index.put(one)
    assert quiet_index.containing([one["uuid"], missing]) == {one["uuid"]}
    with indexing(quiet_index):
        settle(quiet_index)
    assert quiet_index.containing([one["uuid"], missing, "", "é", "\ud800"]) == {one["uuid"]}


def test_containing_takes_many_ids(index: SearchIndex) -> None:
    crashes = [crash() for _ in range(20)]
    put(index, crashes)
    uuids = {one["uuid"] for one in crashes}
    assert index.containing([*uuids, *(new_id() for _ in range(3000))]) == uuids


def test_what_is_no_search_document_is_refused(quiet_index: SearchIndex) -> None:
    with pytest.raises(ValueError, match="needs a uuid"):
        quiet_index.put({"signature": "x"})
    with pytest.raises(ValueError, match="must be JSON"):
        quiet_index.put(crash("\ud800"))
    assert quiet_index.pending() == 0


def test_a_document_with_values_of_wrong_types_harms_nothing(index: SearchIndex) -> None:
    wrong = {
        "uptime": "5",
        "signature": {"a": 1},
        "safe_mode": 1,
        "addons": [1, None],
        "made_up": 1,
        "crash_report_keys": "one",
        "install_time": 2**63,
        "crashing_thread": 1.5,
        "uptime_ts": "fast",
        "missing_symbols": ["a"],
    }
    bad_dates = [crash(date=date) for date in ("yesterday", "2026-11-20T00:00:00", 5)]
    put(index, [crash("good"), {**crash(), **wrong}, *bad_dates])
    assert find(index).total == 2
    assert index.containing([one["uuid"] for one in bad_dates]) == {o["uuid"] for o in bad_dates}
    assert find(index, Filter("signature", Operator.IS, ("good",))).total == 1


# An example costs a second here, so that there are few and a failing one is shown as it is.
@settings(max_examples=_EXAMPLES // 8, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.tuples(st.lists(documents, max_size=20), st.lists(queries(), max_size=8))))
def test_answers_agree_with_looking_at_every_document(
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[tuple[list[dict[str, Any]], list[Query]]],
) -> None:
    index = open_index(f"embedded://{tmp_path_factory.mktemp('small')}")
    held: list[dict[str, Any]] = []
    with indexing(index):
        for generated, asked in rounds[:2]:
            added = [document(values, len(held) + n) for n, values in enumerate(generated)]
            put(index, added)
            held += added
            for query in asked:
                assert index.search(query) == search_oracle.answer(held, query)
    index.close()


@settings(max_examples=_EXAMPLES * 6)
@given(queries())
def test_queries_over_many_crashes_agree_with_looking_at_every_document(
    full_index: tuple[SearchIndex, list[dict[str, Any]]], query: Query
) -> None:
    index, held = full_index
    assert index.search(query) == search_oracle.answer(held, query)


@pytest.mark.parametrize("sort", [(), (Sort("uptime"),), (Sort("signature"), Sort("date", True))])
def test_pages_give_every_crash_once(
    full_index: tuple[SearchIndex, list[dict[str, Any]]], sort: tuple[Sort, ...]
) -> None:
    index, held = full_index
    pages = [
        find(index, columns=("uuid",), sort=sort, number=37, offset=offset).hits
        for offset in range(0, len(held), 37)
    ]
    uuids = [hit["uuid"] for page in pages for hit in page]
    assert sorted(uuids) == sorted(one["uuid"] for one in held)


def test_negations_of_one_field_must_all_hold(index: SearchIndex) -> None:
    put(index, [crash("a"), crash("b"), crash("c")])
    not_a = Filter("signature", Operator.IS, ("a",), negated=True)
    not_b = Filter("signature", Operator.IS, ("b",), negated=True)
    assert [hit["signature"] for hit in find(index, not_a, not_b).hits] == ["c"]


def test_characters_with_a_meaning_in_patterns_stand_for_themselves(index: SearchIndex) -> None:
    put(index, [crash("a.b*c?d\\e|f(g)[h]{i}^j$k"), crash("aXbbbcddeffghijk")])
    for part in (".", "*", "?", "\\", "|", "(g)", "[h]", "{i}", "^", "$"):
        assert find(index, Filter("signature", Operator.CONTAINS, (part,))).total == 1


def test_text_is_found_by_any_of_its_words(index: SearchIndex) -> None:
    put(index, [crash("OOM | large | Foo::Bar"), crash("OOM | small")])
    for words, total in [("large other", 1), ("oom", 2), ("foo bar", 1), ("--", 0), ("mal", 0)]:
        assert find(index, Filter("signature", Operator.MATCHES, (words,))).total == total


def test_long_and_strange_values_are_found(index: SearchIndex) -> None:
    signature = "😀" * 8000 + "\x00\u202e"
    put(index, [search_document({"uuid": new_id(), "date_processed": DAY, "signature": signature})])
    exact = Filter("signature", Operator.IS, (signature,))
    assert find(index, exact, facets=(Facet("signature"),)).facets["signature"] == (
        Bucket(signature, 1),
    )


BAD_QUERIES = {
    "unknown filter": (
        Query(TODAY, (Filter("nope", Operator.IS, ("x",)),)),
        "Unknown field 'nope'",
    ),
    "unknown column": (Query(TODAY, columns=("nope",)), "Unknown field 'nope'"),
    "unknown sort": (Query(TODAY, sort=(Sort("nope"),)), "Unknown field 'nope'"),
    "unknown facet": (Query(TODAY, facets=(Facet("nope"),)), "Unknown field 'nope'"),
    "text for a number": (
        Query(TODAY, (Filter("uptime", Operator.IS, ("5",)),)),
        "Bad value for parameter uptime: not a valid int",
    ),
    "number for a text": (
        Query(TODAY, (Filter("signature", Operator.IS, (5,)),)),
        "Bad value for parameter signature: not a valid str",
    ),
    "not a number": (
        Query(TODAY, (Filter("uptime_ts", Operator.GREATER, (float("nan"),)),)),
        "not a valid float",
    ),
    "naive moment": (
        Query(TODAY, (Filter("date", Operator.GREATER, (DAY.replace(tzinfo=None),)),)),
        "not a valid datetime",
    ),
    "bare date": (
        Query(TODAY, (Filter("date", Operator.MATCHES, (DAY,)),)),
        "date must have a prefix operator",
    ),
    "range of texts": (
        Query(TODAY, (Filter("signature", Operator.LESS, ("a",)),)),
        "does not apply",
    ),
    "part of a number": (
        Query(TODAY, (Filter("uptime", Operator.CONTAINS, (1,)),)),
        "does not apply",
    ),
    "truth of a text": (Query(TODAY, (Filter("signature", Operator.TRUE),)), "not a valid str"),
    "no value": (Query(TODAY, (Filter("signature", Operator.IS),)), "needs one value"),
    "two values": (Query(TODAY, (Filter("uptime", Operator.LESS, (1, 2)),)), "needs one value"),
    "open bracket": (Query(TODAY, (Filter("signature", Operator.REGEX, ("(a",)),)), "malformed"),
    "huge pattern": (
        Query(TODAY, (Filter("signature", Operator.REGEX, ("((a{900}){900}){900}",)),)),
        "too complex",
    ),
    "long pattern": (
        Query(TODAY, (Filter("signature", Operator.CONTAINS, ("a" * 5000,)),)),
        "1,000 characters at most",
    ),
    "sort by a list": (Query(TODAY, sort=(Sort("addons"),)), "several values"),
    "sort twice": (Query(TODAY, sort=(Sort("date"), Sort("date"))), "there twice"),
    "facet twice": (Query(TODAY, facets=(Facet("date"), Facet("date"))), "there twice"),
    "empty facet": (Query(TODAY, facets=(Facet("signature", 0),)), "_facets_size must be"),
    "histogram of a text": (Query(TODAY, histograms=(Histogram("signature", 1),)), "not a number"),
    "histogram without steps": (
        Query(TODAY, histograms=(Histogram("uptime", 0),)),
        "_histogram_interval.uptime",
    ),
}


@pytest.mark.parametrize("case", BAD_QUERIES)
def test_a_bad_query_is_refused_with_a_sentence(quiet_index: SearchIndex, case: str) -> None:
    query, sentence = BAD_QUERIES[case]
    with pytest.raises(QueryError, match=re.escape(sentence)):
        quiet_index.search(query)


def test_a_deep_nest_of_facets_is_refused(quiet_index: SearchIndex) -> None:
    facet = Facet("signature")
    for _ in range(500):
        facet = replace(facet, facets=(facet,))
    with pytest.raises(QueryError, match="nested"):
        find(quiet_index, facets=(facet,))


@pytest.mark.parametrize("text", ["\x00", "\ud800", "'", "é" * 900, "%s", "\u202e", " "])
@pytest.mark.parametrize("operator", [o for o in Operator if o not in ("null", "true")])
def test_hostile_values_are_answered_or_refused(
    index: SearchIndex, text: str, operator: Operator
) -> None:
    index.put(crash("x"))
    for field in ("signature", "version", "missing_symbols", "uptime"):
        with contextlib.suppress(QueryError):
            assert find(index, Filter(field, operator, (text,))).total in (0, 1)


def test_a_place_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    index = open_index(f"embedded://{tmp_path}/file/search")
    for attempt in (index.verify, index.pending, lambda: index.put(crash())):
        with pytest.raises(SearchUnavailable, match=str(tmp_path)):
            attempt()


def test_what_a_killed_process_put_is_found_once_and_nothing_is_lost(
    index: SearchIndex, index_url: str, tmp_path: Path
) -> None:
    outputs = [tmp_path / f"writer{number}" for number in range(4)]
    acknowledged: list[str] = []
    for round_of_two in (outputs[:2], outputs[2:]):
        with (
            running(round_of_two[0], "tests.contract.put_forever", index_url),
            running(round_of_two[1], "tests.contract.put_forever", index_url),
        ):
            for output in round_of_two:
                wait_until(lambda o=output: len(lines(o)) > 30, "documents are put")  # type: ignore[misc]
        acknowledged += [uuid for output in round_of_two for uuid in lines(output)]
    settle(index)
    assert_each_once(index, acknowledged)


def test_another_indexer_takes_over_when_the_elected_one_is_killed(
    quiet_index: SearchIndex, index_url: str, tmp_path: Path
) -> None:
    uuids = []
    for number in range(3):
        with (
            running(tmp_path / f"a{number}", "tests.contract.index_forever", index_url),
            running(tmp_path / f"b{number}", "tests.contract.index_forever", index_url),
        ):
            # Both die at some moment of their work, with changes waiting.
            for _ in range(40):
                one = crash()
                quiet_index.put(one)
                uuids.append(one["uuid"])
            wait_until(lambda: find(quiet_index).total > 0, "an indexer works")
    with indexing(quiet_index):
        settle(quiet_index)
    assert_each_once(quiet_index, uuids)


def test_of_two_indexers_the_second_takes_over_when_the_first_stops(
    quiet_index: SearchIndex,
) -> None:
    first, second = indexing(quiet_index), indexing(quiet_index)
    with second:
        with first:
            put(quiet_index, [crash()])
        put(quiet_index, [crash()])
    assert find(quiet_index).total == 2


def test_a_forked_process_can_put_and_search(index: SearchIndex) -> None:
    put(index, [crash("before")])
    assert find(index).total == 1
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=put_in_child, args=(index, answers))
    child.start()
    child.join()
    assert answers.get() == 1
    settle(index)
    assert find(index).total == 2


def put_in_child(index: SearchIndex, answers: Any) -> None:
    """Search and put in a process that did not open the index."""
    answers.put(find(index).total)
    index.put(crash("from the child"))


def assert_each_once(index: SearchIndex, uuids: Sequence[str]) -> None:
    """Check that these crashes are found, each one time."""
    facet = find(index, facets=(Facet("uuid", 10_000),), number=0).facets["uuid"]
    counts = {bucket.term: bucket.count for bucket in facet}
    assert counts.keys() >= set(uuids)
    assert set(counts.values()) == {1}
    assert index.containing(uuids) == set(uuids)
