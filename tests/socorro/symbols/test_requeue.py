# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes that missed symbols are found in a real index and queued."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from socorro.crash_id import make_crash_id
from socorro.fields import search_document
from socorro.queue import CrashQueue, QueueName, open_queue
from socorro.search import SearchIndex, open_index
from socorro.symbols import Module, Stored, requeue, requeue_missing_symbols

APP = "896B179A7FFF862257C61DA8779089BA0"
LIB = "9FE39E28078C4FBDA48102DFEEB7E6F9a"
NOW = datetime.now(UTC)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[CrashQueue]:
    opened = open_queue(f"local://{tmp_path}/queue", lease_seconds=60)
    yield opened
    opened.close()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    opened = open_index(f"embedded://{tmp_path}/search")
    stopping = threading.Event()
    indexer = threading.Thread(target=opened.run_indexer, args=(stopping,))
    indexer.start()
    yield opened
    stopping.set()
    indexer.join()
    opened.close()


@pytest.fixture
def put(index: SearchIndex) -> Callable[..., list[str]]:
    """Index crashes with these fields and wait until they are found."""

    def put_and_wait(*crashes: dict[str, Any]) -> list[str]:
        crash_ids = [make_crash_id(NOW) for _ in crashes]
        for crash_id, fields in zip(crash_ids, crashes, strict=True):
            date = {"date_processed": NOW.isoformat()}
            index.put(search_document({"uuid": crash_id, **date, **fields}))
        deadline = time.monotonic() + 30
        while index.pending():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return crash_ids

    return put_and_wait


def stored(*debug_ids: str) -> list[Stored]:
    return [
        Stored("a.sym", Module("Linux", "x86_64", debug_id, "app"), Path("a.sym"))
        for debug_id in debug_ids
    ]


def waiting(queue: CrashQueue) -> list[str]:
    messages = queue.receive(1000, wait=0, queues=[QueueName.REPROCESSING])
    return sorted(message.task.crash_id for message in messages)


def test_the_crashes_that_missed_the_symbols_are_queued_and_no_others(
    index: SearchIndex, queue: CrashQueue, put: Callable[..., list[str]]
) -> None:
    app, both, _, _ = put(
        {"missing_symbols": f"app/None/{APP}/0123abcd;zlib/1.2/{'B' * 33}"},
        {"missing_symbols": f"app/1\\/2/{APP};lib.so/None/{LIB}"},
        {"missing_symbols": f"lib.so/None/{'C' * 33}"},
        {},
    )
    assert requeue_missing_symbols(stored(APP, LIB), index, queue) == 2
    assert waiting(queue) == sorted([app, both])


def test_nothing_is_queued_where_nothing_was_missed(
    index: SearchIndex, queue: CrashQueue, put: Callable[..., list[str]]
) -> None:
    put({"missing_symbols": f"app/None/{APP}"})
    assert requeue_missing_symbols(stored(LIB), index, queue) == 0
    assert requeue_missing_symbols([], index, queue) == 0
    assert waiting(queue) == []


def test_more_crashes_than_one_search_reaches_are_all_queued(
    index: SearchIndex,
    queue: CrashQueue,
    put: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requeue, "MAX_RESULTS", 3)
    monkeypatch.setattr(requeue, "MAX_WINDOW", 6)
    crash_ids = put(
        *(
            {
                "missing_symbols": f"app/None/{APP}",
                "date_processed": (NOW - timedelta(hours=number)).isoformat(),
            }
            for number in range(20)
        )
    )
    assert requeue_missing_symbols(stored(APP), index, queue) == 20
    assert waiting(queue) == sorted(crash_ids)


def test_many_modules_are_looked_up_with_progress(
    index: SearchIndex, queue: CrashQueue, put: Callable[..., list[str]]
) -> None:
    put({"missing_symbols": f"app/None/{APP}"})
    others = [f"{number:032X}1" for number in range(1, 60)]
    steps: list[tuple[int, int]] = []
    found = requeue_missing_symbols(
        stored(*others, APP), index, queue, progress=lambda done, of: steps.append((done, of))
    )
    assert found == 1
    assert steps == [(25, 60), (50, 60), (60, 60)]
