# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reports come home from the fallback storage, whatever happens on the way."""

import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from markus.testing import MetricsMock

from collector.saving.homecoming import Homecoming, Moved
from collector.saving.publisher import Publisher
from collector.saving.unpublished import Unpublished
from socorro.crash_id import Throttle, make_crash_id
from socorro.storage import CrashReport, CrashStorage, StorageUnavailable, open_storage
from tests.collector.switched import SwitchedQueue, SwitchedStorage
from tests.contract.conftest import new_bucket
from tests.contract.processes import running, wait_until
from tests.contract.reports import DAY, DUMP_NAMES, check_complete, made_report, new_id, spool


class Killed(BaseException):
    """What ends a process in the middle, for a test in one process."""


@pytest.fixture
def home(tmp_path: Path) -> SwitchedStorage:
    return SwitchedStorage(tmp_path / "home")


@pytest.fixture
def away(tmp_path: Path) -> SwitchedStorage:
    return SwitchedStorage(tmp_path / "away")


@pytest.fixture
def queue(tmp_path: Path) -> SwitchedQueue:
    return SwitchedQueue(tmp_path / "queue")


@pytest.fixture
def unpublished(tmp_path: Path) -> Unpublished:
    return Unpublished(tmp_path / "unpublished")


@pytest.fixture
def publisher(queue: SwitchedQueue, unpublished: Unpublished) -> Iterator[Publisher]:
    publisher = Publisher(queue, unpublished)
    yield publisher
    publisher.close()


@pytest.fixture
def homecoming(home: SwitchedStorage, away: SwitchedStorage, publisher: Publisher) -> Homecoming:
    return Homecoming(home, away, publisher)


def fill(away: CrashStorage, count: int) -> list[str]:
    """Put reports of three days into a storage; return their ids, sorted."""
    ids = [new_id(DAY - timedelta(days=number % 3)) for number in range(count)]
    for crash_id in ids:
        away.save_raw_crash(made_report(away, crash_id))
    return sorted(ids)


def move_all(homecoming: Homecoming) -> Moved:
    return homecoming.move_all(threading.Event())


def is_empty(storage: CrashStorage) -> bool:
    return not any(list(storage.list_raw_crashes(day)) for day in storage.list_days())


def check_home(home: CrashStorage, ids: list[str], folder: Path) -> None:
    for crash_id in ids:
        check_complete(home, crash_id, folder)


def test_everything_comes_home_and_is_published(
    homecoming: Homecoming,
    home: SwitchedStorage,
    away: SwitchedStorage,
    queue: SwitchedQueue,
    tmp_path: Path,
) -> None:
    ids = fill(away, 100)
    with MetricsMock() as metrics:
        assert move_all(homecoming) == Moved(moved=100, left=0)
    check_home(home, ids, tmp_path)
    assert queue.published() == ids
    assert is_empty(away)
    assert [path for path in (tmp_path / "away/v1").rglob("*") if path.is_file()] == []
    assert list(home.spool.iterdir()) == []
    assert len(metrics.filter_records("incr", "socorro.collector.crashmover.moved_home.count")) == (
        100
    )


@pytest.mark.parametrize("there", ["fs", "s3"])
@pytest.mark.parametrize("here", ["fs", "s3"])
def test_reports_come_home_between_all_kinds_of_storages(
    request: pytest.FixtureRequest, publisher: Publisher, tmp_path: Path, here: str, there: str
) -> None:
    def made(kind: str, name: str) -> CrashStorage:
        if kind == "fs":
            return open_storage(f"fs://{tmp_path}/{name}")
        bucket = new_bucket(request.getfixturevalue("s3_server"))
        return open_storage(f"{bucket}&spool={tmp_path}/{name}-spool")

    home, away = made(here, "here"), made(there, "there")
    ids = fill(away, 6)
    assert move_all(Homecoming(home, away, publisher)) == Moved(moved=6, left=0)
    check_home(home, ids, tmp_path)
    assert is_empty(away)
    for storage in (home, away):
        assert list(storage.spool.iterdir()) == []


def test_nothing_to_move_is_nothing_done(homecoming: Homecoming, home: SwitchedStorage) -> None:
    home.down = True
    assert move_all(homecoming) == Moved(moved=0, left=0)


def test_a_deferred_report_comes_home_and_is_not_published(
    homecoming: Homecoming, home: SwitchedStorage, away: SwitchedStorage, queue: SwitchedQueue
) -> None:
    crash_id = make_crash_id(DAY, Throttle.DEFER)
    away.save_raw_crash(CrashReport(crash_id, {}))
    assert move_all(homecoming) == Moved(moved=1, left=0)
    assert home.has_raw_crash(crash_id)
    assert queue.published() == []


def test_a_report_that_is_home_already_is_left_as_it_is(
    homecoming: Homecoming,
    home: SwitchedStorage,
    away: SwitchedStorage,
    queue: SwitchedQueue,
    tmp_path: Path,
) -> None:
    crash_id = new_id()
    home.save_raw_crash(made_report(home, crash_id))
    away.save_raw_crash(CrashReport(crash_id, {"other": "1"}))
    assert move_all(homecoming) == Moved(moved=1, left=0)
    check_complete(home, crash_id, tmp_path)
    assert queue.published() == [crash_id]
    assert is_empty(away)


def test_a_home_that_is_down_keeps_everything_away(
    homecoming: Homecoming, home: SwitchedStorage, away: SwitchedStorage, tmp_path: Path
) -> None:
    ids = fill(away, 5)
    home.down = True
    with pytest.raises(StorageUnavailable):
        move_all(homecoming)
    assert homecoming.waiting() == 5
    check_home(away, ids, tmp_path)


def test_a_report_that_cannot_be_moved_does_not_keep_the_others(
    homecoming: Homecoming,
    home: SwitchedStorage,
    away: SwitchedStorage,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = fill(away, 10)
    for crash_id in ids[:2]:
        away.fetch_dump(crash_id, DUMP_NAMES[1], tmp_path).unlink()
    next((tmp_path / "away/v1/dump_names").rglob(ids[2])).write_text("[")
    assert move_all(homecoming) == Moved(moved=7, left=3)
    check_home(home, ids[3:], tmp_path)
    assert not any(home.has_raw_crash(crash_id) for crash_id in ids[:3])
    assert all(away.has_raw_crash(crash_id) for crash_id in ids[:3])
    assert caplog.text.count("stays in the fallback storage") == 3


def test_annotations_come_home_byte_for_byte(
    homecoming: Homecoming, home: SwitchedStorage, away: SwitchedStorage, tmp_path: Path
) -> None:
    crash_id = new_id()
    content = b'{"b" : 1.0e400,  "a":"\\u00E4"}'
    away.save_raw_crash(CrashReport(crash_id, spool(away, content)))
    assert move_all(homecoming) == Moved(moved=1, left=0)
    assert home.fetch_raw_crash(crash_id, tmp_path).read_bytes() == content
    assert list(home.spool.iterdir()) == []


def test_while_the_queue_is_down_ids_are_kept_and_reports_come_home(
    homecoming: Homecoming, away: SwitchedStorage, queue: SwitchedQueue, unpublished: Unpublished
) -> None:
    ids = fill(away, 5)
    queue.down = True
    assert move_all(homecoming) == Moved(moved=5, left=0)
    assert sorted(unpublished.some(10)) == ids


def test_a_report_whose_id_can_go_nowhere_stays(
    homecoming: Homecoming,
    home: SwitchedStorage,
    away: SwitchedStorage,
    queue: SwitchedQueue,
    tmp_path: Path,
) -> None:
    ids = fill(away, 3)
    queue.down = True
    (tmp_path / "unpublished").write_text("a file where a folder should be")
    assert move_all(homecoming) == Moved(moved=0, left=3)
    queue.down = False
    assert move_all(homecoming) == Moved(moved=3, left=0)
    assert queue.published() == ids


def test_it_stops_when_it_is_told_to(homecoming: Homecoming, away: SwitchedStorage) -> None:
    fill(away, 3)
    stopping = threading.Event()
    stopping.set()
    assert homecoming.move_all(stopping) == Moved(moved=0, left=3)


def test_a_move_that_is_killed_at_any_step_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_at = 0
    for kill_at in range(1, 1000):
        folder = tmp_path / str(kill_at)
        home, away = SwitchedStorage(folder / "home"), SwitchedStorage(folder / "away")
        queue = SwitchedQueue(folder / "queue")
        publisher = Publisher(queue, Unpublished(folder / "unpublished"))
        (crash_id,) = fill(away, 1)
        with monkeypatch.context() as patch:
            steps = _Steps(patch, kill_at)
            try:
                move_all(Homecoming(home, away, publisher))
            except Killed:
                pass
            else:
                finished_at = kill_at
        # At each moment it is complete in one of the two, or in both.
        for storage in (home, away):
            if storage.has_raw_crash(crash_id):
                check_complete(storage, crash_id, tmp_path)
        assert home.has_raw_crash(crash_id) or away.has_raw_crash(crash_id)
        move_all(Homecoming(home, away, publisher))
        check_complete(home, crash_id, tmp_path)
        assert is_empty(away)
        assert set(queue.published()) == {crash_id}
        queue.close()
        if finished_at:
            assert steps.count < kill_at
            break
    assert finished_at > 20


class _Steps:
    """Ends the process, so to speak, at the n-th call that changes a disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kill_at: int) -> None:
        self.count = 0
        self._kill_at = kill_at
        for name in ("open", "fsync", "replace", "mkdir", "unlink"):
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if self.count >= self._kill_at:
                # A killed process does nothing more, not even cleaning up.
                raise Killed
            self.count += 1
            if self.count == self._kill_at:
                raise Killed
            return function(*args, **kwargs)

        return wrapper


def test_the_command_can_be_killed_at_any_moment(
    home: SwitchedStorage,
    away: SwitchedStorage,
    queue: SwitchedQueue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    soaking: bool,
) -> None:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    monkeypatch.setenv("CRASH_STORAGE", f"fs://{home.root}")
    monkeypatch.setenv("FALLBACK_STORAGE", f"fs://{away.root}")
    chance = random.Random(secrets.randbits(32))
    ids: list[str] = []
    for number in range(40 if soaking else 4):
        ids += fill(away, 40)
        before = _count(home)
        with running(tmp_path / f"out-{number}", "socorro", "crashmover") as process:
            wait_until(
                lambda before=before: _count(home) > before or process.poll() is not None, "a move"
            )
            assert process.poll() is None
            time.sleep(chance.uniform(0, 0.1))
    with running(tmp_path / "last", "socorro", "crashmover", "--once") as process:
        assert process.wait(120) == 0
    check_home(home, sorted(ids), tmp_path)
    assert is_empty(away)
    assert set(queue.published()) == set(ids)


def test_the_command_ends_when_it_is_told_to(
    home: SwitchedStorage, away: SwitchedStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    monkeypatch.setenv("CRASH_STORAGE", f"fs://{home.root}")
    monkeypatch.setenv("FALLBACK_STORAGE", f"fs://{away.root}")
    ids = fill(away, 3)
    with running(tmp_path / "out", "socorro", "crashmover") as process:
        wait_until(lambda: _count(home) == len(ids), "all are home")
        process.terminate()
        assert process.wait(60) == 0
    check_home(home, ids, tmp_path)


def _count(storage: CrashStorage) -> int:
    return sum(1 for day in storage.list_days() for _ in storage.list_raw_crashes(day))
