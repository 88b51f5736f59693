# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Ids that wait for the queue are kept on the disk, and published by whoever has the lock."""

import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from markus.testing import MetricsMock

from collector.saving.publisher import Publisher
from collector.saving.unpublished import Unpublished
from socorro import breaker as breaker_module
from socorro.queue import QueueName, QueueUnavailable
from tests.collector.switched import SwitchedQueue
from tests.contract.processes import lines, running, wait_until
from tests.contract.reports import new_id


@pytest.fixture
def unpublished(tmp_path: Path) -> Unpublished:
    return Unpublished(tmp_path / "below/unpublished")


@pytest.fixture
def queue(tmp_path: Path) -> SwitchedQueue:
    return SwitchedQueue(tmp_path / "queue")


@pytest.fixture
def publisher(
    queue: SwitchedQueue, unpublished: Unpublished, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Publisher]:
    monkeypatch.setattr(breaker_module, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(breaker_module, "LONGEST_DELAY", 0.05)
    publisher = Publisher(queue, unpublished)
    yield publisher
    publisher.close()


@pytest.fixture
def unwritable(unpublished: Unpublished) -> None:
    unpublished.folder.parent.mkdir()
    unpublished.folder.write_text("a file where a folder should be")


def test_ids_are_kept_once_and_removed(unpublished: Unpublished) -> None:
    ids = sorted(new_id() for _ in range(30))
    for crash_id in [*ids, *ids]:
        unpublished.add(crash_id)
    assert sorted(unpublished.some(100)) == ids
    assert len(unpublished.some(7)) == 7
    assert unpublished.count() == 30
    unpublished.remove(ids[:10])
    unpublished.remove(ids[:10])
    assert sorted(unpublished.some(100)) == ids[10:]


def test_a_folder_that_is_not_there_holds_no_ids(unpublished: Unpublished) -> None:
    assert unpublished.some(10) == []
    assert unpublished.count() == 0


def test_only_this_user_can_read_the_folder(unpublished: Unpublished) -> None:
    unpublished.add(new_id())
    assert unpublished.folder.stat().st_mode & 0o077 == 0


def test_other_files_in_the_folder_are_no_ids(unpublished: Unpublished) -> None:
    unpublished.verify()
    for name in ("x", ".lock", "bp-" + new_id(), new_id() + "\n"):
        (unpublished.folder / name).touch()
    assert unpublished.some(10) == []
    assert unpublished.count() == 0


def test_verifying_leaves_nothing_behind(unpublished: Unpublished) -> None:
    unpublished.verify()
    assert list(unpublished.folder.iterdir()) == []


def test_one_holds_the_lock_at_a_time(unpublished: Unpublished) -> None:
    with unpublished.lock() as first:
        assert first
        with Unpublished(unpublished.folder).lock() as second:
            assert not second
    with unpublished.lock() as again:
        assert again


def test_a_killed_process_gives_the_lock_back(unpublished: Unpublished) -> None:
    held = multiprocessing.get_context("spawn").Event()
    process = multiprocessing.get_context("spawn").Process(
        target=_hold, args=(unpublished.folder, held)
    )
    process.start()
    assert held.wait(60)
    with unpublished.lock() as alone:
        assert not alone
    process.kill()
    process.join()
    with unpublished.lock() as alone:
        assert alone


def _hold(folder: Path, held: "multiprocessing.synchronize.Event") -> None:
    with Unpublished(folder).lock() as alone:
        assert alone
        held.set()
        threading.Event().wait()


def test_what_a_killed_process_has_kept_is_there(unpublished: Unpublished, tmp_path: Path) -> None:
    output = tmp_path / "kept"
    with running(output, "tests.collector.keep_forever", str(unpublished.folder)):
        wait_until(lambda: len(lines(output)) > 50, "some are kept")
    kept = set(lines(output))
    assert kept <= set(unpublished.some(10**6))


def test_an_id_is_published_at_once_while_the_queue_works(
    publisher: Publisher, queue: SwitchedQueue, unpublished: Unpublished
) -> None:
    crash_id = new_id()
    assert publisher.publish(crash_id)
    (message,) = queue.receive(10, wait=0)
    assert (message.task.crash_id, message.queue) == (crash_id, QueueName.STANDARD)
    assert unpublished.count() == 0


def test_only_the_first_client_waits_for_a_queue_that_is_down(
    publisher: Publisher, queue: SwitchedQueue, unpublished: Unpublished
) -> None:
    queue.down = True
    ids = [new_id() for _ in range(20)]
    with MetricsMock() as metrics:
        assert all(publisher.publish(crash_id) for crash_id in ids)
    assert queue.tries == 1
    assert sorted(unpublished.some(100)) == sorted(ids)
    metrics.assert_incr_once(
        "socorro.collector.crashmover.retry_count", tags=["count:publish_crash_exception.count"]
    )


def test_ids_are_published_at_once_again_when_the_queue_is_back(
    publisher: Publisher, queue: SwitchedQueue, unpublished: Unpublished
) -> None:
    queue.down = True
    publisher.publish(new_id())
    queue.down = False

    def is_published_at_once() -> bool:
        crash_id = new_id()
        publisher.publish(crash_id)
        return bool(queue.holding([crash_id]))

    wait_until(is_published_at_once, "an id is published at once")


def test_what_waits_is_published_in_batches(
    publisher: Publisher, queue: SwitchedQueue, unpublished: Unpublished
) -> None:
    ids = sorted(new_id() for _ in range(1200))
    for crash_id in ids:
        unpublished.add(crash_id)
    assert publisher.publish_waiting() == 1200
    assert queue.batches == [500, 500, 200]
    assert queue.published() == ids
    assert unpublished.count() == 0


def test_what_cannot_be_published_stays(
    publisher: Publisher, queue: SwitchedQueue, unpublished: Unpublished
) -> None:
    crash_id = new_id()
    unpublished.add(crash_id)
    queue.down = True
    with pytest.raises(QueueUnavailable):
        publisher.publish_waiting()
    assert unpublished.some(10) == [crash_id]


@pytest.mark.usefixtures("unwritable")
def test_an_id_that_can_neither_be_published_nor_kept_is_left_to_cronrun(
    publisher: Publisher, queue: SwitchedQueue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.down = True
    with MetricsMock() as metrics:
        assert not publisher.publish(new_id())
    metrics.assert_incr("socorro.collector.crashmover.publish_crash_dropped.count")
    assert "cronrun will find it" in caplog.text


@pytest.mark.usefixtures("unwritable")
def test_an_id_that_cannot_be_kept_is_tried_in_the_queue_once_more(
    publisher: Publisher, queue: SwitchedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker_module, "FIRST_DELAY", 3600)
    queue.down = True
    assert not publisher.publish(new_id())
    queue.down = False
    crash_id = new_id()
    assert publisher.publish(crash_id)
    assert queue.published() == [crash_id]


def test_many_threads_publish_through_an_outage_and_nothing_is_lost(
    publisher: Publisher, queue: SwitchedQueue, unpublished: Unpublished
) -> None:
    ids: list[str] = []
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            crash_id = new_id()
            assert publisher.publish(crash_id)
            ids.append(crash_id)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for down in (True, False):
        before = len(ids)
        wait_until(lambda before=before: len(ids) > before + 20, "some are in")
        queue.down = down
    enough.set()
    for thread in threads:
        thread.join()
    publisher.publish_waiting()
    assert queue.published() == sorted(ids)
