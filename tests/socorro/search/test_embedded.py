# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The embedded engine's own parts: a changed schema, a broken index, errors of the indexer."""

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from socorro.search import DateRange, Filter, Operator, Query, SearchUnavailable
from socorro.search.embedded import EmbeddedIndex, directory, indexer
from socorro.search.embedded.outbox import Outbox
from tests.contract.processes import wait_until

DAY = datetime(2026, 11, 20, tzinfo=UTC)
TODAY = Query(DateRange(DAY, DAY + timedelta(days=1)), number=1000)


@pytest.fixture
def index(tmp_path: Path) -> EmbeddedIndex:
    """An empty index in ``search`` of the test's folder."""
    return EmbeddedIndex(tmp_path / "search")


@contextmanager
def indexing(index: EmbeddedIndex) -> Iterator[None]:
    """Run an indexer meanwhile."""
    stopping = threading.Event()
    thread = threading.Thread(target=index.run_indexer, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def fill(index: EmbeddedIndex, count: int) -> None:
    """Index crashes."""
    with indexing(index):
        index.put_all(
            [{"uuid": f"crash{number}", "date": DAY.isoformat()} for number in range(count)]
        )
        wait_until(lambda: index.pending() == 0, "all are indexed")


def test_an_index_of_another_schema_is_converted(
    index: EmbeddedIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_BATCH", 7)
    with monkeypatch.context() as earlier:
        earlier.setattr(directory, "schema_hash", lambda: "earlier")
        fill(EmbeddedIndex(tmp_path / "search"), 40)
    with pytest.raises(SearchUnavailable, match="being converted"):
        index.search(TODAY)
    fill(index, 1)
    assert index.search(TODAY).total == 40
    assert {hit["uuid"] for hit in index.search(TODAY).hits} == {f"crash{n}" for n in range(40)}
    assert [path.name for path in (tmp_path / "search").glob("*index-*")] == [
        f"index-{directory.schema_hash()}"
    ]


def test_a_conversion_that_is_stopped_begins_anew(
    index: EmbeddedIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(directory, "schema_hash", lambda: "earlier")
        fill(EmbeddedIndex(tmp_path / "search"), 10)
    stopped = threading.Event()
    stopped.set()
    assert directory.IndexDirectory(tmp_path / "search").prepare(stopped) is None
    with pytest.raises(SearchUnavailable, match="being converted"):
        index.search(TODAY)
    fill(index, 1)
    assert index.search(TODAY).total == 10


def test_a_broken_index_is_reported_with_what_to_do(index: EmbeddedIndex, tmp_path: Path) -> None:
    fill(index, 1)
    (meta,) = (tmp_path / "search").glob("index-*/meta.json")
    meta.write_text("{")
    fresh = EmbeddedIndex(tmp_path / "search")
    with pytest.raises(SearchUnavailable, match="socorro search rebuild"):
        fresh.search(TODAY)
    with pytest.raises(SearchUnavailable, match="delete that folder"):
        fresh.verify()


def test_a_reader_notices_that_the_index_was_deleted_and_made_anew(
    index: EmbeddedIndex, tmp_path: Path
) -> None:
    fill(index, 3)
    assert index.search(TODAY).total == 3
    for path in (tmp_path / "search").glob("index-*"):
        shutil.rmtree(path)
    assert index.search(TODAY).total == 0
    fill(index, 2)
    assert index.search(TODAY).total == 2


def test_the_indexer_goes_on_after_an_error(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [SearchUnavailable("no disk"), OSError("no disk"), ValueError("no disk")]
    oldest = Outbox.oldest

    def fail_first(outbox: Outbox, limit: int) -> object:
        if failures:
            raise failures.pop()
        return oldest(outbox, limit)

    monkeypatch.setattr(Outbox, "oldest", fail_first)
    monkeypatch.setattr(indexer, "_ERROR_SECONDS", 0.01)
    with caplog.at_level(logging.ERROR):
        fill(index, 2)
    assert index.search(TODAY).total == 2
    assert len(caplog.records) == 3


def test_an_idle_indexer_rests_and_wakes_up(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    rested = threading.Event()
    rest = indexer._Writer.rest

    def note_rest(writer: indexer._Writer) -> None:
        rest(writer)
        rested.set()

    monkeypatch.setattr(indexer._Writer, "rest", note_rest)
    monkeypatch.setattr(indexer, "_IDLE_POLLS", 1)
    with indexing(index):
        index.put({"uuid": "a", "date": DAY.isoformat()})
        wait_until(lambda: index.pending() == 0, "the first is indexed")
        assert rested.wait(60)
        index.put({"uuid": "b", "date": DAY.isoformat()})
        wait_until(lambda: index.pending() == 0, "the second is indexed")
    assert index.search(TODAY).total == 2


def test_more_than_a_batch_is_indexed(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "BATCH", 10)
    fill(index, 105)
    assert index.search(TODAY).total == 105


def test_a_frame_is_found_where_the_stack_has_it(index: EmbeddedIndex) -> None:
    stacks = ["a::b | Foo<int> | main", "Foo<int>x", "a::b | main"]
    with indexing(index):
        index.put_all(
            [{"uuid": stack, "date": DAY.isoformat(), "proto_signature": stack} for stack in stacks]
        )
        wait_until(lambda: index.pending() == 0, "all are indexed")
    for part, total in [("Foo<int>", 2), ("b | F", 1), ("| main", 2), ("a::b | main", 1)]:
        contains = Filter("proto_signature", Operator.CONTAINS, (part,))
        assert index.search(Query(TODAY.dates, (contains,))).total == total
