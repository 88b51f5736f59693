# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Missing crashes: found in raw storage, and brought back into queue or index."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cron.job import JobRun, JobStopped
from cron.jobs import requeue_missing
from cron.jobs.missing import Finder, Stores
from cron.jobs.requeue_missing import RecentDays, sweep_days
from cron.models import MissingCrash
from socorro.crash_id import Throttle, make_crash_id
from socorro.fields import search_document
from socorro.queue import QueueName, Task, open_queue
from socorro.search import DateRange, Query, open_index
from socorro.settings import Settings, load
from socorro.storage import CrashReport, open_storage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(minutes=10)


@pytest.fixture
def settings_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    monkeypatch.setenv("REQUEUE_AFTER", "300")
    return load()


@pytest.fixture
def stores(settings_in_force: Settings) -> Iterator[Stores]:
    opened = Stores(
        raw=open_storage(settings_in_force.crash_storage),
        processed=open_storage(settings_in_force.processed_storage_url),
        queue=open_queue(settings_in_force.crash_queue, lease_seconds=60),
        index=open_index(settings_in_force.search),
    )
    yield opened
    opened.queue.close()
    opened.index.close()


@pytest.fixture
def collect(stores: Stores) -> Callable[..., str]:
    """Store a raw crash that arrived at a time, as the collector does; return its id."""

    def save(arrived: datetime = OLD, throttle: Throttle = Throttle.ACCEPT, **changed: Any) -> str:
        crash_id = make_crash_id(arrived, throttle)
        annotations = {
            "ProductName": "DemoApp",
            "uuid": crash_id,
            "submitted_timestamp": arrived.isoformat(),
            **changed,
        }
        stores.raw.save_raw_crash(CrashReport(crash_id, annotations))
        return crash_id

    return save


@pytest.fixture
def process(stores: Stores) -> Callable[..., dict[str, Any]]:
    """Save a processed crash and, unless told otherwise, index it."""

    def save(crash_id: str, *, index: bool = True, signature: str = "main") -> dict[str, Any]:
        processed = {
            "uuid": crash_id,
            "signature": signature,
            "date_processed": OLD.isoformat(),
        }
        stores.processed.save_processed_crash(crash_id, processed)
        if index:
            stores.index.put(search_document(processed))
        return processed

    return save


def at(
    now: datetime,
    settings: Settings,
    last_success: datetime | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> JobRun:
    return JobRun(settings, now, last_success, should_stop)


def queued(stores: Stores) -> list[str]:
    """Take what waits in the queue, as a processor would, and be done with it."""
    messages = stores.queue.receive(100, wait=0)
    for message in messages:
        assert message.queue is QueueName.STANDARD
        assert stores.queue.acknowledge(message)
    return sorted(message.task.crash_id for message in messages)


JOBS = pytest.mark.parametrize("job", [RecentDays(), sweep_days], ids=["recent", "sweep"])


@JOBS
def test_a_raw_crash_that_is_neither_processed_nor_queued_is_queued(
    job: Callable[[JobRun], None],
    stores: Stores,
    collect: Callable[..., str],
    settings_in_force: Settings,
) -> None:
    crash_id = collect()
    job(at(NOW, settings_in_force))
    assert queued(stores) == [crash_id]
    row = MissingCrash.objects.get()
    assert (row.crash_id, row.queued, row.times_queued) == (crash_id, NOW, 1)


@JOBS
def test_a_crash_that_is_processed_queued_deferred_or_young_is_left_alone(
    job: Callable[[JobRun], None],
    stores: Stores,
    collect: Callable[..., str],
    process: Callable[..., Any],
    settings_in_force: Settings,
) -> None:
    process(collect())
    waiting, leased = collect(), collect()
    stores.queue.publish(QueueName.PRIORITY, [Task(leased)])
    message = stores.queue.receive(1, wait=0)[0]
    stores.queue.publish(QueueName.REPROCESSING, [Task(waiting, "regenerate_signature")])
    collect(throttle=Throttle.DEFER)
    collect(arrived=NOW - timedelta(seconds=299))
    job(at(NOW, settings_in_force))
    assert stores.queue.depth()[QueueName.STANDARD].ready == 0
    assert MissingCrash.objects.count() == 0
    assert stores.queue.acknowledge(message)


def test_a_young_crash_is_queued_once_it_is_old_enough(
    stores: Stores, collect: Callable[..., str], settings_in_force: Settings
) -> None:
    crash_id, job = collect(arrived=NOW), RecentDays()
    job(at(NOW + timedelta(seconds=299), settings_in_force))
    assert queued(stores) == []
    job(at(NOW + timedelta(seconds=300), settings_in_force))
    assert queued(stores) == [crash_id]


@pytest.mark.parametrize(
    "timestamp", [None, 17, "yesterday", "", "9999-12-31T00:00:00+00:00", ["2026-03-28"]]
)
def test_a_crash_without_a_usable_time_counts_from_when_it_was_first_seen(
    timestamp: object, stores: Stores, collect: Callable[..., str], settings_in_force: Settings
) -> None:
    crash_id = collect(submitted_timestamp=timestamp)
    RecentDays()(at(NOW, settings_in_force))
    assert queued(stores) == []
    RecentDays()(at(NOW + timedelta(seconds=301), settings_in_force))
    assert queued(stores) == [crash_id]


def test_a_crash_that_stays_missing_is_queued_more_and_more_rarely(
    stores: Stores, collect: Callable[..., str], settings_in_force: Settings
) -> None:
    collect()
    job, times = RecentDays(), []
    for minute in range(90):
        job(at(NOW + timedelta(minutes=minute), settings_in_force))
        if queued(stores):
            times.append(minute)
    assert times == [0, 10, 30, 70]


@JOBS
def test_a_processed_crash_that_the_index_lacks_is_indexed_and_not_queued(
    job: Callable[[JobRun], None],
    stores: Stores,
    collect: Callable[..., str],
    process: Callable[..., Any],
    settings_in_force: Settings,
) -> None:
    crash_id = collect()
    process(crash_id, index=False)
    job(at(NOW, settings_in_force))
    assert queued(stores) == []
    assert stores.index.containing([crash_id]) == {crash_id}


def test_a_broken_processed_crash_is_made_anew(
    stores: Stores,
    collect: Callable[..., str],
    process: Callable[..., Any],
    settings_in_force: Settings,
    tmp_path: Path,
) -> None:
    crash_id = collect()
    process(crash_id, index=False)
    next(tmp_path.glob(f"crashes/v1/processed_crash/*/*/{crash_id}")).write_bytes(b"{")
    RecentDays()(at(NOW, settings_in_force))
    assert queued(stores) == [crash_id]


def test_an_older_document_never_replaces_what_a_processor_saved_meanwhile(
    stores: Stores,
    collect: Callable[..., str],
    process: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crash_id = collect()
    process(crash_id, index=False, signature="old")
    load_processed = stores.processed.load_processed_crash
    put = stores.index.put

    def load_and_be_overtaken(wanted: str) -> dict[str, Any]:
        loaded = load_processed(wanted)
        if loaded["signature"] == "old":
            process(crash_id, signature="new")
        return loaded

    put_signatures: list[str] = []

    def note_put(document: dict[str, Any]) -> None:
        put_signatures.append(document["signature"])
        put(document)

    monkeypatch.setattr(stores.processed, "load_processed_crash", load_and_be_overtaken)
    monkeypatch.setattr(stores.index, "put", note_put)
    finder = Finder(stores, now=NOW, grace=timedelta(minutes=5), trust_index=True)
    assert finder.mend([crash_id]).indexed == 1
    assert put_signatures == ["new", "old", "new"]


def test_a_crash_that_is_finished_while_it_is_looked_at_is_not_doubled(
    stores: Stores,
    collect: Callable[..., str],
    process: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crash_id = collect()
    stores.queue.publish(QueueName.STANDARD, [Task(crash_id)])
    message = stores.queue.receive(1, wait=0)[0]
    containing, asked = stores.index.containing, []

    def containing_and_then_finished(crash_ids: list[str]) -> frozenset[str]:
        found = containing(crash_ids)
        if not asked:
            process(crash_id)
            assert stores.queue.acknowledge(message)
        asked.append(crash_ids)
        return found

    monkeypatch.setattr(stores.index, "containing", containing_and_then_finished)
    finder = Finder(stores, now=NOW, grace=timedelta(minutes=5), trust_index=True)
    findings = finder.mend([crash_id])
    assert (findings.queued, findings.indexed) == (0, 0)


def test_a_crash_whose_collector_published_it_late_is_not_doubled(
    stores: Stores, collect: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_id = collect()
    load_raw = stores.raw.load_raw_crash

    def load_and_be_overtaken(wanted: str) -> dict[str, Any]:
        stores.queue.publish(QueueName.PRIORITY, [Task(wanted)])
        return load_raw(wanted)

    monkeypatch.setattr(stores.raw, "load_raw_crash", load_and_be_overtaken)
    finder = Finder(stores, now=NOW, grace=timedelta(minutes=5), trust_index=True)
    assert finder.mend([crash_id]).queued == 0


def test_what_is_no_crash_id_is_passed_over(
    stores: Stores, collect: Callable[..., str], settings_in_force: Settings, tmp_path: Path
) -> None:
    crash_id = collect()
    folder = next(tmp_path.glob(f"crashes/v1/raw_crash/*/*/{crash_id}")).parent
    (folder / f"{crash_id[:3]}-notes.txt").write_text("hello")
    RecentDays()(at(NOW, settings_in_force))
    assert queued(stores) == [crash_id]


def test_days_before_the_window_are_looked_at_by_the_sweep_alone(
    stores: Stores, collect: Callable[..., str], settings_in_force: Settings
) -> None:
    crash_id = collect(arrived=NOW - timedelta(days=5))
    RecentDays()(at(NOW, settings_in_force))
    assert queued(stores) == []
    sweep_days(at(NOW, settings_in_force))
    assert queued(stores) == [crash_id]


def test_the_sweep_goes_back_to_its_last_success(
    stores: Stores, collect: Callable[..., str], settings_in_force: Settings
) -> None:
    crash_id = collect(arrived=NOW - timedelta(days=60))
    sweep_days(at(NOW, settings_in_force))
    assert queued(stores) == []
    sweep_days(at(NOW, settings_in_force, last_success=NOW - timedelta(days=60)))
    assert queued(stores) == [crash_id]


def test_groups_of_settled_crashes_are_not_asked_about_again(
    stores: Stores,
    collect: Callable[..., str],
    process: Callable[..., Any],
    settings_in_force: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(30):
        process(collect())
    asked: list[str] = []
    mend = Finder.mend

    def note_asked(finder: Finder, crash_ids: Iterator[str]) -> Any:
        ids = list(crash_ids)
        asked.extend(ids)
        return mend(finder, ids)

    monkeypatch.setattr(Finder, "mend", note_asked)
    job = RecentDays()
    job(at(NOW, settings_in_force))
    assert len(asked) == 30
    asked.clear()
    job(at(NOW, settings_in_force))
    assert asked == []
    new = collect()
    job(at(NOW, settings_in_force))
    assert new in asked
    assert len(asked) < 30
    assert queued(stores) == [new]


def test_a_job_that_is_told_to_stop_stops(
    stores: Stores, collect: Callable[..., str], settings_in_force: Settings
) -> None:
    collect()
    with pytest.raises(JobStopped):
        RecentDays()(at(NOW, settings_in_force, should_stop=lambda: True))
    assert queued(stores) == []


def test_a_long_run_tells_how_far_it_is(
    collect: Callable[..., str],
    settings_in_force: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    collect()
    monkeypatch.setattr(requeue_missing, "_PROGRESS_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    RecentDays()(at(NOW, settings_in_force))
    assert "looked at 1 crashes so far, now at 2026-03-28" in caplog.text
    assert "1 were missing and are queued again" in caplog.text


def test_what_was_put_into_the_index_is_found(
    stores: Stores,
    collect: Callable[..., str],
    process: Callable[..., Any],
    settings_in_force: Settings,
) -> None:
    crash_id = collect()
    process(crash_id, index=False, signature="acme::Lost")
    RecentDays()(at(NOW, settings_in_force))
    stopping = threading.Event()
    indexer = threading.Thread(target=stores.index.run_indexer, args=(stopping,))
    indexer.start()
    try:
        deadline = time.monotonic() + 30
        while stores.index.pending():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        stopping.set()
        indexer.join()
    dates = DateRange(OLD - timedelta(days=1), NOW)
    hits = stores.index.search(Query(dates)).hits
    assert [(hit["uuid"], hit["signature"]) for hit in hits] == [(crash_id, "acme::Lost")]
