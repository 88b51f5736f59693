# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the collector says about itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from collector import health_checks
from collector.app import CollectorApp, create_app
from socorro.build import build_facts
from socorro.queue import CrashQueue, open_queue
from socorro.settings import Settings
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Answer, Call, call


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
