# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the collector says about itself."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from markus.testing import MetricsMock

from collector.app import CollectorApp, create_app
from collector.operations import health_checks
from collector.saving.unpublished import Unpublished
from socorro.build import build_facts
from socorro.queue import CrashQueue, open_queue
from socorro.settings import Settings
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Answer, Call, call
from tests.collector.switched import SwitchedStorage
from tests.contract.processes import wait_until
from tests.contract.reports import new_id


def get(app: CollectorApp, path: str) -> Answer:
    return call(app, Call(method="GET", path=path, content_type=None))


def test_a_collector_that_works_has_a_heartbeat(app: CollectorApp) -> None:
    answer = get(app, "/__heartbeat__")
    assert answer.status == 200
    assert json.loads(answer.body) == {"errors": [], "info": {"unpublished": 0}}


def test_the_heartbeat_writes_to_storage_and_queue(app: CollectorApp, tmp_path: Path) -> None:
    get(app, "/__heartbeat__")
    assert (tmp_path / "crashes/v1/test").is_dir()
    assert (tmp_path / "queue/queue.db").is_file()


def test_a_dead_storage_and_a_dead_queue_stop_the_heartbeat(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    app = create_app(
        settings,
        FilesystemStorage(tmp_path / "file/crashes"),
        open_queue(f"local://{tmp_path}/file/queue", lease_seconds=60),
    )
    answer = get(app, "/__heartbeat__")
    errors = json.loads(answer.body)["errors"]
    assert answer.status == 503
    assert [error["name"] for error in errors] == ["StorageUnavailable", "QueueUnavailable"]
    assert all("file" in error["msg"] for error in errors)


def test_a_full_disk_stops_the_heartbeat(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    app = create_app(replace(settings, min_free_disk=2**60), storage, queue)
    answer = get(app, "/__heartbeat__")
    (error,) = json.loads(answer.body)["errors"]
    assert answer.status == 503
    assert error["name"] == "DiskFull"
    assert "MIN_FREE_DISK" in error["msg"]


def test_a_storage_that_comes_back_has_a_heartbeat_again(
    settings: Settings, queue: CrashQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_checks, "FRESH_SECONDS", 0)
    (tmp_path / "file").write_text("a file where a folder should be")
    app = create_app(settings, FilesystemStorage(tmp_path / "file"), queue)
    assert get(app, "/__heartbeat__").status == 503
    (tmp_path / "file").unlink()
    assert get(app, "/__heartbeat__").status == 200


def test_heartbeats_in_quick_succession_do_not_write_each_time(
    app: CollectorApp, storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[int] = []
    monkeypatch.setattr(storage, "verify", lambda: checks.append(1))
    for _ in range(10):
        get(app, "/__heartbeat__")
    assert len(checks) <= 2


def test_the_load_balancer_gets_an_empty_answer(app: CollectorApp) -> None:
    answer = get(app, "/__lbheartbeat__")
    assert (answer.status, answer.body) == (200, "")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("path", ["/__heartbeat__", "/__lbheartbeat__", "/__version__"])
def test_load_balancers_may_ask_with_head(app: CollectorApp, path: str) -> None:
    answer = call(app, Call(method="HEAD", path=path, content_type=None))
    assert (answer.status, answer.body) == (200, "")


def test_the_version_is_told(app: CollectorApp) -> None:
    answer = get(app, "/__version__")
    assert json.loads(answer.body) == build_facts()
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_a_fallback_that_is_down_is_told(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue, tmp_path: Path
) -> None:
    fallback = SwitchedStorage(tmp_path / "fallback")
    fallback.down = True
    answer = get(create_app(settings, storage, queue, fallback=fallback), "/__heartbeat__")
    assert answer.status == 503
    assert json.loads(answer.body)["errors"] == [
        {"name": "StorageUnavailable", "msg": "fallback: fallback is switched off"}
    ]


def test_ids_that_wait_to_be_published_are_counted(app: CollectorApp, settings: Settings) -> None:
    for _ in range(3):
        Unpublished(settings.unpublished).add(new_id())
    answer = get(app, "/__heartbeat__")
    assert (answer.status, json.loads(answer.body)["info"]) == (200, {"unpublished": 3})


def test_a_folder_of_unpublished_ids_that_cannot_be_written_is_told(
    app: CollectorApp, settings: Settings
) -> None:
    settings.unpublished.write_text("a file where a folder should be")
    answer = get(app, "/__heartbeat__")
    (error,) = json.loads(answer.body)["errors"]
    assert answer.status == 503
    assert error["msg"].startswith("unpublished ids: ")


def test_a_storage_that_hangs_keeps_nobody_waiting_for_the_heartbeat(
    settings: Settings, queue: CrashQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_checks, "LIMIT_SECONDS", 0.2)
    monkeypatch.setattr(health_checks, "FRESH_SECONDS", 0)
    storage = SwitchedStorage(tmp_path / "crashes")
    app = create_app(settings, storage, queue)
    storage.may_answer.clear()
    before = threading.active_count()
    for _ in range(3):
        answer = get(app, "/__heartbeat__")
        (error,) = json.loads(answer.body)["errors"]
        assert answer.status == 503
        assert error == {"name": "NoAnswer", "msg": "crash storage: no answer within 0.2 s"}
    # The check that hangs is asked again, not begun again.
    assert threading.active_count() <= before + 1
    storage.may_answer.set()
    wait_until(lambda: get(app, "/__heartbeat__").status == 200, "it answers again")


def test_a_check_that_fails_in_another_way_is_a_problem(
    app: CollectorApp, queue: CrashQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(queue, "verify", break_down)
    answer = get(app, "/__heartbeat__")
    assert answer.status == 503
    assert json.loads(answer.body)["errors"] == [
        {"name": "CheckFailed", "msg": "crash queue: RuntimeError in our own code"}
    ]


@pytest.mark.parametrize("name", ["heartbeat", "lbheartbeat", "version"])
def test_who_asks_is_counted(app: CollectorApp, name: str) -> None:
    with MetricsMock() as metrics:
        get(app, f"/__{name}__")
    metrics.assert_incr_once(f"socorro.collector.health.{name}.count")
