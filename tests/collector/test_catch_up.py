# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Catching up after outages, in the collector and as a command of its own."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from markus.testing import MetricsMock

from collector.app import CollectorApp, create_app
from collector.saving import catch_up as catch_up_module
from collector.saving import moving
from collector.saving.catch_up import CatchUp
from collector.saving.publisher import Publisher
from collector.saving.unpublished import Unpublished
from socorro import breaker as breaker_module
from socorro.cli.commands import cli
from socorro.settings import SettingError, Settings
from socorro.storage import FilesystemStorage
from socorro.storage.fallback import StorageWithFallback
from tests.collector.made_requests import annotation, dump, post
from tests.collector.switched import SwitchedQueue, SwitchedStorage
from tests.contract.processes import wait_until
from tests.contract.reports import made_report, new_id, spool

PARTS = [annotation("ProductName", "DemoApp"), dump("upload_file_minidump", b"MDMP" * 100)]


@dataclass
class Engines:
    """Everything that can be down, and what catches up when it is back."""

    main: SwitchedStorage
    fallback: SwitchedStorage
    queue: SwitchedQueue
    unpublished: Unpublished

    def catch_up(self) -> CatchUp:
        publisher = Publisher(self.queue, self.unpublished)
        store = StorageWithFallback(self.main, self.fallback)
        return CatchUp(store, publisher, self.unpublished)


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    return Engines(
        SwitchedStorage(tmp_path / "crashes"),
        SwitchedStorage(tmp_path / "fallback"),
        SwitchedQueue(tmp_path / "queue"),
        Unpublished(tmp_path / "unpublished"),
    )


@pytest.fixture
def app(
    settings: Settings, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CollectorApp]:
    """A collector that catches up soon."""
    for module, name in (
        (catch_up_module, "_ROUND_SECONDS"),
        (catch_up_module, "_LONGEST_DELAY"),
        (breaker_module, "FIRST_DELAY"),
        (breaker_module, "LONGEST_DELAY"),
    ):
        monkeypatch.setattr(module, name, 0.02)
    app = create_app(settings, engines.main, engines.queue, fallback=engines.fallback)
    app.start()
    yield app
    app.close()


def stored(storage: FilesystemStorage) -> set[str]:
    return {crash_id for day in storage.list_days() for crash_id in storage.list_raw_crashes(day)}


def test_reports_of_an_outage_come_home_and_are_published_by_themselves(
    app: CollectorApp, engines: Engines
) -> None:
    engines.main.down = True
    ids = {post(app, *PARTS).crash_id for _ in range(20)}
    assert stored(engines.fallback) == ids
    assert engines.queue.published() == []
    engines.main.down = False
    wait_until(lambda: stored(engines.main) == ids, "all are home")
    wait_until(lambda: not stored(engines.fallback), "none is left in the fallback")
    assert set(engines.queue.published()) == ids


def test_ids_of_an_outage_are_published_by_themselves(app: CollectorApp, engines: Engines) -> None:
    engines.queue.down = True
    ids = {post(app, *PARTS).crash_id for _ in range(20)}
    assert set(engines.unpublished.some(100)) == ids
    engines.queue.down = False
    wait_until(lambda: engines.unpublished.count() == 0, "all are published")
    assert set(engines.queue.published()) == ids


def test_a_report_is_taken_with_storage_and_queue_down(app: CollectorApp, engines: Engines) -> None:
    engines.main.down = engines.queue.down = True
    crash_id = post(app, *PARTS).crash_id
    engines.main.down = False
    wait_until(lambda: crash_id in stored(engines.main), "it is home")
    engines.queue.down = False
    wait_until(lambda: engines.queue.published() == [crash_id], "it is published")


def test_while_no_storage_works_reports_are_refused_unread(
    app: CollectorApp, engines: Engines
) -> None:
    engines.main.down = engines.fallback.down = True
    wait_until(lambda: _is_refused_unread(app), "refused before it is read")
    engines.fallback.down = False
    wait_until(lambda: post(app, *PARTS).status == 200, "reports are taken again")


def _is_refused_unread(app: CollectorApp) -> bool:
    with MetricsMock() as metrics:
        answer = post(app, *PARTS)
        assert (answer.status, answer.body) == (503, "Discarded=storage_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        metrics.assert_incr(
            "socorro.collector.breakpad_resource.turned_away", tags=["reason:storage_unavailable"]
        )
        return not metrics.has_record("incr", "socorro.collector.breakpad_resource.incoming_crash")


def test_what_an_earlier_process_left_is_found(engines: Engines, settings: Settings) -> None:
    crash_id, waiting = new_id(), new_id()
    engines.fallback.save_raw_crash(made_report(engines.fallback, crash_id))
    engines.unpublished.add(waiting)
    app = create_app(settings, engines.main, engines.queue, fallback=engines.fallback)
    app.start()
    wait_until(lambda: not stored(engines.fallback), "it is home")
    assert engines.queue.published() == sorted([crash_id, waiting])
    app.close()


def test_the_last_try_is_made_at_the_end(
    settings: Settings, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up_module, "_ROUND_SECONDS", 3600)
    app = create_app(settings, engines.main, engines.queue)
    app.start()
    engines.queue.down = True
    crash_id = post(app, *PARTS).crash_id
    engines.queue.down = False
    app.close()
    assert engines.queue.published() == [crash_id]


def test_a_round_tells_what_it_did_and_what_is_in_the_way(engines: Engines) -> None:
    catch_up, stopping = engines.catch_up(), threading.Event()
    ids = [new_id() for _ in range(3)]
    for crash_id in ids[:2]:
        engines.fallback.save_raw_crash(made_report(engines.fallback, crash_id))
    engines.unpublished.add(ids[2])
    engines.main.down = engines.queue.down = True
    with MetricsMock() as metrics:
        done = catch_up.round(stopping)
    assert (done.published, done.unpublished, done.moved, done.in_fallback) == (0, 1, 0, 2)
    assert done.problems == ("the queue is switched off", "crashes is switched off")
    assert not done.complete
    metrics.assert_gauge("socorro.collector.crashmover.unpublished", 1)
    metrics.assert_gauge("socorro.collector.crashmover.fallback", 2)
    engines.main.down = engines.queue.down = False
    done = catch_up.round(stopping)
    assert (done.published, done.unpublished, done.moved, done.in_fallback) == (1, 0, 2, 0)
    assert done.complete


def test_one_process_catches_up_at_a_time(engines: Engines) -> None:
    engines.unpublished.add(new_id())
    with engines.unpublished.lock():
        done = engines.catch_up().round(threading.Event())
    assert not done.alone
    assert not done.complete
    assert engines.unpublished.count() == 1


def test_the_spools_of_both_storages_are_swept(engines: Engines) -> None:
    two_days_ago = time.time() - 2 * 86400
    for storage in (engines.main, engines.fallback):
        os.utime(spool(storage, b"old"), (two_days_ago, two_days_ago))
        spool(storage, b"young")
    engines.catch_up().round(threading.Event())
    for storage in (engines.main, engines.fallback):
        assert [path.read_bytes() for path in storage.spool.iterdir()] == [b"young"]


def test_an_error_of_ours_does_not_end_catching_up(
    app: CollectorApp, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = threading.Event()

    def break_down(self: Publisher) -> int:
        broken.set()
        raise RuntimeError("a bug")

    engines.queue.down = True
    crash_id = post(app, *PARTS).crash_id
    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "publish_waiting", break_down)
        assert broken.wait(60)
    engines.queue.down = False
    wait_until(lambda: engines.queue.published() == [crash_id], "it is published")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of the command in the environment; the folder of its data."""
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    monkeypatch.setenv("FALLBACK_STORAGE", f"fs://{tmp_path}/fallback")
    return tmp_path


def crashmover_once() -> Result:
    return CliRunner().invoke(cli, ["crashmover", "--once"])


@pytest.mark.usefixtures("environment")
def test_the_command_moves_everything_and_says_so(engines: Engines) -> None:
    ids = sorted(new_id() for _ in range(3))
    for crash_id in ids[:2]:
        engines.fallback.save_raw_crash(made_report(engines.fallback, crash_id))
    engines.unpublished.add(ids[2])
    done = crashmover_once()
    assert (done.exit_code, done.stdout) == (0, "Published 1 crash ids; moved 2 reports home.\n")
    assert stored(engines.main) == set(ids[:2])
    assert engines.queue.published() == ids
    assert crashmover_once().stdout == "Published 0 crash ids; moved 0 reports home.\n"


def test_the_command_says_which_engine_is_away(engines: Engines, environment: Path) -> None:
    engines.fallback.save_raw_crash(made_report(engines.fallback, new_id()))
    (environment / "crashes").write_text("a file where a folder should be")
    done = crashmover_once()
    assert done.exit_code == 69
    assert f"{environment}/crashes" in done.stderr.splitlines()[-1]
    assert len(stored(engines.fallback)) == 1


@pytest.mark.usefixtures("environment")
def test_the_command_says_what_stays(engines: Engines, tmp_path: Path) -> None:
    crash_id = new_id()
    engines.fallback.save_raw_crash(made_report(engines.fallback, crash_id))
    engines.fallback.fetch_dump(crash_id, "memory_report", tmp_path).unlink()
    done = crashmover_once()
    assert done.exit_code == 75
    assert "1 reports stay in the fallback storage" in done.stderr


@pytest.mark.usefixtures("environment")
def test_the_command_waits_for_another_and_gives_up(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_LOCK_SECONDS", 0.3)
    with engines.unpublished.lock():
        done = crashmover_once()
    assert done.exit_code == 75
    assert "another process" in done.stderr


@pytest.mark.parametrize("other", ["crashes", "processed", "telemetry"])
def test_a_fallback_that_is_another_storage_too_is_refused(
    environment: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setenv("PROCESSED_STORAGE", f"fs://{environment}/processed")
    monkeypatch.setenv("FALLBACK_STORAGE", f"fs://{environment}/./{other}")
    done = crashmover_once()
    assert isinstance(done.exception, SettingError)
    assert "must be another place than" in str(done.exception)


def test_without_a_fallback_there_is_nothing_to_move(settings: Settings, engines: Engines) -> None:
    app = create_app(replace(settings, fallback_storage=""), engines.main, engines.queue)
    crash_id = post(app, *PARTS).crash_id
    done = app.mover.catch_up.round(threading.Event(), everything=True)
    assert done.complete
    assert stored(engines.main) == {crash_id}
