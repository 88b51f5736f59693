# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What becomes of a message: saved, indexed and acknowledged, given back, or buried."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from processor.crash import Crash
from processor.pipeline import FAILED_SIGNATURE, Pipeline, StackwalkerNotReadyError
from processor.recovery import requeue_unwalked
from processor.rules.base import Rule
from processor.rules.identity import Identifiers
from processor.rules.stackwalk import NO_STACKWALKER
from processor.work import Storages, Worker
from socorro.crash_id import make_crash_id
from socorro.fields import search_document
from socorro.queue import LocalQueue, Message, QueueName, Task
from socorro.search import SearchIndex, SearchUnavailable, open_index
from socorro.storage import CrashNotFound, CrashReport, FilesystemStorage, StorageUnavailable

MAX_ATTEMPTS = 2


class Behaves(Rule):
    """Does what a test asks for."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def act(self, crash: Crash) -> Mapping[str, Any]:
        if self.error:
            raise self.error
        return {}


@dataclass
class Road:
    """Real backends, and a ruleset with one rule that a test can make fail."""

    storage: FilesystemStorage
    telemetry: FilesystemStorage
    queue: LocalQueue
    index: SearchIndex
    rule: Behaves
    worker: Worker

    def publish(self, ruleset: str = "default", **annotations: Any) -> str:
        now = datetime.now(UTC)
        crash_id = make_crash_id(now)
        raw = {"ProductName": "DemoApp", "submitted_timestamp": now.isoformat(), **annotations}
        self.storage.save_raw_crash(CrashReport(crash_id, raw))
        self.queue.publish(QueueName.STANDARD, [Task(crash_id, ruleset)])
        return crash_id

    def take(self) -> Message:
        (message,) = self.queue.receive(1, wait=0)
        return message

    def is_empty(self) -> bool:
        depth = self.queue.depth()[QueueName.STANDARD]
        return (depth.ready, depth.leased, depth.delayed) == (0, 0, 0)

    def dead(self) -> int:
        return self.queue.depth()[QueueName.STANDARD].dead


@pytest.fixture
def road(tmp_path: Path) -> Road:
    storage = FilesystemStorage(tmp_path / "crashes")
    telemetry = FilesystemStorage(tmp_path / "telemetry")
    queue = LocalQueue(tmp_path / "queue", lease_seconds=60)
    index = open_index(f"embedded://{tmp_path}/search")
    rule = Behaves()
    rulesets = {
        "default": Pipeline("default", [Identifiers(), rule]),
        "partial": Pipeline("partial", [Identifiers()], from_stored=True),
    }
    worker = Worker(
        storages=Storages(raw=storage, processed=storage, telemetry=telemetry),
        queue=queue,
        index=index,
        rulesets=rulesets,
        max_attempts=MAX_ATTEMPTS,
        work_folder=tmp_path,
    )
    return Road(storage, telemetry, queue, index, rule, worker)


def test_a_crash_is_saved_indexed_and_only_then_acknowledged(road: Road) -> None:
    crash_id = road.publish()
    assert road.worker.settle(road.take())
    assert road.storage.load_processed_crash(crash_id)["uuid"] == crash_id
    assert road.index.containing([crash_id]) == {crash_id}
    assert road.is_empty()


def test_a_crash_is_saved_then_indexed_then_exported(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable("full")

    crash_id = road.publish()
    with monkeypatch.context() as patched:
        patched.setattr(road.telemetry, "save_telemetry_crash", fail)
        assert not road.worker.settle(road.take())
        assert road.index.containing([crash_id]) == {crash_id}
    assert road.storage.has_processed_crash(crash_id)
    depth = road.queue.depth()[QueueName.STANDARD]
    assert (depth.delayed, depth.dead) == (1, 0)


def test_a_crash_that_cannot_be_indexed_is_saved_but_not_exported(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SearchUnavailable("down")

    crash_id = road.publish()
    monkeypatch.setattr(road.index, "put", fail)
    assert not road.worker.settle(road.take())
    assert road.storage.has_processed_crash(crash_id)
    with pytest.raises(CrashNotFound):
        road.telemetry.load_telemetry_crash(crash_id)


def test_what_is_publicly_safe_is_exported(road: Road) -> None:
    crash_id = road.publish(URL="https://example.com/private", user_comments="private")
    assert road.worker.settle(road.take())
    exported = road.telemetry.load_telemetry_crash(crash_id)
    assert exported["uuid"] == crash_id
    assert "private" not in str(exported)
    with pytest.raises(CrashNotFound):
        road.storage.load_telemetry_crash(crash_id)


def test_nothing_is_exported_where_nobody_asks_for_it(road: Road, tmp_path: Path) -> None:
    worker = Worker(
        storages=Storages(raw=road.storage, processed=road.storage),
        queue=road.queue,
        index=road.index,
        rulesets={"default": Pipeline("default", [Identifiers()])},
        max_attempts=MAX_ATTEMPTS,
        work_folder=tmp_path,
    )
    road.publish()
    assert worker.settle(road.take())
    assert road.is_empty()
    assert not (tmp_path / "telemetry" / "v1").exists()


def test_a_crash_waits_in_the_queue_for_the_stackwalker(road: Road) -> None:
    crash_id = road.publish()
    road.rule.error = StackwalkerNotReadyError()
    assert not road.worker.settle(road.take())
    assert not road.storage.has_processed_crash(crash_id)
    assert road.queue.depth()[QueueName.STANDARD].delayed == 1
    # Waiting is no attempt: a build takes longer than a crash may be tried.
    taken = wait_until(lambda: road.queue.receive(1, wait=0.1), seconds=20)
    assert taken[0].attempts == 1


def test_a_task_without_raw_crash_is_buried(road: Road) -> None:
    road.queue.publish(QueueName.STANDARD, [Task(make_crash_id(datetime.now(UTC)))])
    assert road.worker.settle(road.take())
    assert road.dead() == 1
    assert road.is_empty()


@pytest.mark.parametrize("ruleset", ["unknown", "partial"])
def test_a_ruleset_that_cannot_work_is_buried_and_writes_nothing(road: Road, ruleset: str) -> None:
    crash_id = road.publish(ruleset)
    assert road.worker.settle(road.take())
    assert road.dead() == 1
    with pytest.raises(CrashNotFound):
        road.storage.load_processed_crash(crash_id)


def test_a_partial_ruleset_needs_the_stored_result_alone(road: Road) -> None:
    crash_id = make_crash_id(datetime.now(UTC))
    road.storage.save_processed_crash(crash_id, {"uuid": crash_id, "reason": "SIGSEGV"})
    road.queue.publish(QueueName.STANDARD, [Task(crash_id, "partial")])
    assert road.worker.settle(road.take())
    assert road.dead() == 0
    assert road.storage.load_processed_crash(crash_id)["reason"] == "SIGSEGV"


def test_a_crash_that_ended_its_processor_too_often_is_saved_with_a_note(road: Road) -> None:
    crash_id = road.publish()
    message = road.take()
    beyond = Message(message.task, message.queue, MAX_ATTEMPTS + 1, message.receipt)
    assert road.worker.settle(beyond)
    processed = road.storage.load_processed_crash(crash_id)
    assert processed["signature"] == FAILED_SIGNATURE
    assert processed["success"] is False
    assert "gave up: processing ended 2 times" in processed["processor_notes"]
    assert road.index.containing([crash_id]) == {crash_id}
    assert road.dead() == 1


def test_giving_up_keeps_an_older_result(road: Road) -> None:
    crash_id = road.publish()
    road.storage.save_processed_crash(crash_id, {"uuid": crash_id, "signature": "good"})
    message = road.take()
    road.worker.settle(Message(message.task, message.queue, MAX_ATTEMPTS + 1, message.receipt))
    assert road.storage.load_processed_crash(crash_id)["signature"] == "good"


@pytest.mark.parametrize(("beyond", "shown"), [(1, True), (2, False)])
def test_giving_up_shows_an_older_result_unless_that_ended_a_processor_too(
    road: Road, beyond: int, shown: bool
) -> None:
    crash_id = road.publish()
    road.storage.save_processed_crash(crash_id, {"uuid": crash_id, "signature": "good"})
    message = road.take()
    attempts = MAX_ATTEMPTS + beyond
    road.worker.settle(Message(message.task, message.queue, attempts, message.receipt))
    assert road.index.containing([crash_id]) == (frozenset({crash_id}) if shown else frozenset())
    assert road.dead() == 1


def test_a_broken_raw_crash_counts_as_an_attempt_and_does_not_end_the_processor(
    road: Road, tmp_path: Path
) -> None:
    crash_id = road.publish()
    (raw,) = (tmp_path / "crashes" / "v1" / "raw_crash").rglob(crash_id)
    raw.write_bytes(b"{broken")
    assert road.worker.settle(road.take())
    assert not road.is_empty()


def test_a_broken_raw_crash_is_given_up_with_a_note_like_any_other(
    road: Road, tmp_path: Path
) -> None:
    crash_id = road.publish()
    (raw,) = (tmp_path / "crashes" / "v1" / "raw_crash").rglob(crash_id)
    raw.write_bytes(b"{broken")
    message = road.take()
    road.worker.settle(Message(message.task, message.queue, MAX_ATTEMPTS + 1, message.receipt))
    assert "gave up" in road.storage.load_processed_crash(crash_id)["processor_notes"]
    assert road.is_empty()
    assert road.dead() == 1


def test_a_damaged_result_is_made_anew(road: Road, tmp_path: Path) -> None:
    crash_id = road.publish()
    road.worker.settle(road.take())
    (stored,) = (tmp_path / "crashes" / "v1" / "processed_crash").rglob(crash_id)
    stored.write_bytes(b"{broken")
    road.queue.publish(QueueName.REPROCESSING, [Task(crash_id)])
    assert road.worker.settle(road.take())
    assert road.storage.load_processed_crash(crash_id)["uuid"] == crash_id


def test_processing_twice_gives_the_same_result(road: Road) -> None:
    crash_id = road.publish()
    road.worker.settle(road.take())
    first = road.storage.load_processed_crash(crash_id)
    road.queue.publish(QueueName.REPROCESSING, [Task(crash_id)])
    road.worker.settle(road.take())
    second = road.storage.load_processed_crash(crash_id)
    volatile = {"started_datetime", "completed_datetime", "processor_notes", "processor_history"}
    assert {k: v for k, v in first.items() if k not in volatile} == {
        k: v for k, v in second.items() if k not in volatile
    }
    assert second["processor_history"] == [first["processor_notes"]]


def test_crashes_processed_without_a_stackwalker_are_queued_again(road: Road) -> None:
    crash_id = make_crash_id(datetime.now(UTC))
    now = datetime.now(UTC).isoformat()
    road.index.put(
        search_document(
            {
                "uuid": crash_id,
                "date_processed": now,
                "signature": "EMPTY",
                "mdsw_status_string": NO_STACKWALKER,
            }
        )
    )
    stopping = threading.Event()
    indexer = threading.Thread(target=road.index.run_indexer, args=(stopping,))
    indexer.start()
    try:
        wait_until(lambda: requeue_unwalked(road.index, road.queue))
    finally:
        stopping.set()
        indexer.join()
    (message,) = road.queue.receive(1, wait=0)
    assert (message.queue, message.task.crash_id) == (QueueName.REPROCESSING, crash_id)


def wait_until(probe: Callable[[], Any], seconds: float = 10) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer
