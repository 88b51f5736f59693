# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The index can be filled from processed storage, while everything else goes on."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from socorro.fields import search_document
from socorro.reprocessing.pace import Pace
from socorro.search import DateRange, Query, SearchIndex
from socorro.search.embedded import EmbeddedIndex
from socorro.search.rebuild import Rebuilt, rebuild
from socorro.storage import CrashReport, FilesystemStorage

DAY = datetime(2026, 11, 20, tzinfo=UTC)
IDS = [f"{number:08x}-0000-0000-0000-000000261120" for number in range(3)]


@pytest.fixture
def storage(tmp_path: Path) -> FilesystemStorage:
    """A storage with three crashes, the second one not processed."""
    storage = FilesystemStorage(tmp_path / "crashes")
    for crash_id in IDS:
        storage.save_raw_crash(CrashReport(crash_id, {"uuid": crash_id}))
    for crash_id in IDS[::2]:
        save(storage, crash_id, "first")
    return storage


@pytest.fixture
def index(tmp_path: Path) -> EmbeddedIndex:
    return EmbeddedIndex(tmp_path / "search")


def save(storage: FilesystemStorage, crash_id: str, signature: str) -> dict[str, Any]:
    processed = {
        "uuid": "claims to be another",
        "date_processed": DAY.isoformat(),
        "signature": signature,
    }
    storage.save_processed_crash(crash_id, processed)
    return processed


def found(index: SearchIndex) -> dict[str, str]:
    columns = ("uuid", "signature")
    query = Query(DateRange(DAY - timedelta(days=7), DAY), columns=columns)
    return {hit["uuid"]: hit["signature"] for hit in index.search(query).hits}


def test_processed_crashes_become_searchable(
    storage: FilesystemStorage, index: EmbeddedIndex
) -> None:
    seen: list[tuple[list[str], Rebuilt]] = []
    for _ in range(2):  # doing it again changes nothing
        result = rebuild(IDS, storage, index, progress=lambda *done: seen.append(done))
        assert result == Rebuilt(indexed=2, unprocessed=1)
    assert found(index) == {IDS[0]: "first", IDS[2]: "first"}
    assert seen == [(IDS, Rebuilt(2, 1))] * 2


def test_what_is_in_the_index_is_replaced_or_left_alone(
    storage: FilesystemStorage, index: EmbeddedIndex
) -> None:
    assert rebuild(IDS[:1], storage, index).indexed == 1
    save(storage, IDS[0], "second")
    result = rebuild(IDS, storage, index, missing_only=True)
    assert result == Rebuilt(indexed=1, unprocessed=1, present=1)
    assert found(index) == {IDS[0]: "first", IDS[2]: "first"}
    rebuild(IDS, storage, index)
    assert found(index) == {IDS[0]: "second", IDS[2]: "first"}


def test_a_damaged_result_is_counted_and_the_others_are_indexed(
    storage: FilesystemStorage, index: EmbeddedIndex, caplog: pytest.LogCaptureFixture
) -> None:
    (storage.root / "v1/processed_crash/20261120/000" / IDS[0]).write_bytes(b'{"uuid": ')
    assert rebuild(IDS, storage, index) == Rebuilt(indexed=1, unprocessed=1, damaged=1)
    assert found(index) == {IDS[2]: "first"}
    assert f"{IDS[0]} cannot be indexed" in caplog.text


class Overtaken(FilesystemStorage):
    """Another processor saves and indexes a crash between our loading and our indexing it."""

    def __init__(self, storage: FilesystemStorage, index: SearchIndex) -> None:
        super().__init__(storage.root)
        self._index = index
        self.results = ["second", "third"]

    def load_processed_crash(self, crash_id: str) -> dict[str, Any]:
        loaded = super().load_processed_crash(crash_id)
        if self.results:
            newer = save(self, crash_id, self.results.pop(0))
            self._index.put(search_document(newer) | {"uuid": crash_id})
        return loaded


def test_a_crash_that_is_processed_meanwhile_has_its_newest_result_in_the_index(
    storage: FilesystemStorage, index: EmbeddedIndex
) -> None:
    overtaken = Overtaken(storage, index)
    assert rebuild(IDS[:1], overtaken, index).indexed == 1
    assert overtaken.results == []
    assert found(index) == {IDS[0]: "third"}


def test_a_crash_that_is_deleted_meanwhile_is_not_left_in_the_index(
    storage: FilesystemStorage, index: EmbeddedIndex
) -> None:
    class Deleted(FilesystemStorage):
        def load_processed_crash(self, crash_id: str) -> dict[str, Any]:
            loaded = super().load_processed_crash(crash_id)
            self.delete_crash(crash_id)
            return loaded

    result = rebuild(IDS[:1], Deleted(storage.root), index)
    assert result == Rebuilt(unprocessed=1)
    assert found(index) == {}


def test_fresh_crashes_never_wait_behind_more_than_the_engine_takes_at_once(
    storage: FilesystemStorage, index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socorro.search.rebuild._MOST_PENDING", 2)
    monkeypatch.setattr("socorro.search.rebuild._CHUNK", 1)
    crash_ids = [f"{number:08x}-0000-0000-0000-000000261120" for number in range(3, 23)]
    for crash_id in crash_ids:
        save(storage, crash_id, "many")
    most = 0
    put = EmbeddedIndex.put

    def watched(self: EmbeddedIndex, document: Mapping[str, Any]) -> None:
        nonlocal most
        put(self, document)
        most = max(most, self.pending())

    monkeypatch.setattr(EmbeddedIndex, "put", watched)
    assert rebuild(crash_ids, storage, index).indexed == 20
    assert most <= 3
    assert len(found(index)) == 20


def test_it_ends_also_while_others_never_stop_indexing(
    storage: FilesystemStorage, index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socorro.search.rebuild._SETTLE_SECONDS", 0.5)
    monkeypatch.setattr(EmbeddedIndex, "pending", lambda _: 1)
    assert rebuild(IDS, storage, index).indexed == 2


def test_a_rate_makes_small_batches(storage: FilesystemStorage, index: EmbeddedIndex) -> None:
    pauses: list[float] = []
    pace = Pace(2, clock=lambda: sum(pauses), pause=pauses.append)
    assert rebuild(IDS, storage, index, pace=pace).indexed == 2
    assert pauses == [1.0]
