# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Storage or queue down, verdicts of throttlers, and errors of our own."""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from markus.testing import MetricsMock

from collector.app import CollectorApp, create_app
from collector.operations import health_checks
from collector.throttling import Verdict
from socorro.crash_id import Throttle, throttle_of
from socorro.queue import CrashQueue
from socorro.settings import Settings
from socorro.storage import CrashReport, FilesystemStorage, StorageUnavailable
from tests.collector.made_requests import Answer, Call, annotation, call, dump, post
from tests.collector.switched import SwitchedStorage
from tests.contract.processes import wait_until

SECRET = "the-comment-of-a-user"
PARTS = [annotation("Comments", SECRET), dump("upload_file_minidump", b"MDMP" * 100)]


class FailingStorage(FilesystemStorage):
    """A storage that fails after it has taken the dumps."""

    def save_raw_crash(self, report: CrashReport) -> None:
        for path in report.dumps.values():
            assert path.read_bytes()
        raise StorageUnavailable("no space left on device")


@dataclass
class Always:
    """A throttler that has made up its mind, and remembers what it saw."""

    result: Throttle
    seen: list[Mapping[str, Any]] = field(default_factory=list)

    def judge(self, raw_crash: Mapping[str, Any]) -> Verdict:
        self.seen.append(raw_crash)
        return Verdict("a_rule", self.result)


def today(storage: FilesystemStorage) -> list[str]:
    return list(storage.list_raw_crashes(datetime.now(UTC).date()))


def test_a_report_that_cannot_be_stored_is_given_back_to_the_client(
    settings: Settings, queue: CrashQueue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = FailingStorage(tmp_path / "crashes")
    with MetricsMock() as metrics:
        answer = post(create_app(settings, storage, queue), *PARTS)
    assert (answer.status, answer.body) == (503, "Discarded=storage_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    metrics.assert_incr(
        "socorro.collector.breakpad_resource.turned_away", tags=["reason:storage_unavailable"]
    )
    metrics.assert_incr("socorro.collector.crashmover.save_crash_dropped.count")
    # The check that follows a failure may be writing its own file there.
    assert list(storage.spool.glob("*.dump")) == []
    assert queue.receive(1, wait=0) == []
    assert "no space left on device" in caplog.text


def test_a_spooled_file_that_cannot_be_removed_costs_no_report(
    app: CollectorApp, storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def fail_in_spool(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".dump":
            raise OSError("the disk is tired")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", fail_in_spool)
    assert post(app, *PARTS).crash_id in today(storage)


def test_a_dump_that_cannot_be_spooled_is_given_back_to_the_client(
    settings: Settings, queue: CrashQueue, tmp_path: Path
) -> None:
    (tmp_path / "crashes").write_text("a file where a folder should be")
    storage = FilesystemStorage(tmp_path / "crashes")
    answer = post(create_app(settings, storage, queue), *PARTS)
    assert (answer.status, answer.body) == (503, "Discarded=storage_unavailable")


def test_a_deferred_report_is_stored_and_not_queued(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    throttler = Always(Throttle.DEFER)
    crash_id = post(create_app(settings, storage, queue, throttler), *PARTS).crash_id
    assert throttle_of(crash_id) == 1
    assert storage.load_raw_crash(crash_id)["metadata"]["throttle_rule"] == "a_rule"
    assert queue.receive(1, wait=0) == []


def test_a_rejected_report_is_told_the_rule_and_not_stored(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    answer = post(create_app(settings, storage, queue, Always(Throttle.REJECT)), *PARTS)
    assert (answer.status, answer.body) == (200, "Discarded=rule_a_rule")
    assert today(storage) == []
    assert list(storage.spool.iterdir()) == []
    assert queue.receive(1, wait=0) == []


def test_a_fake_accepted_report_gets_an_id_and_is_not_stored(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    answer = post(create_app(settings, storage, queue, Always(Throttle.FAKE_ACCEPT)), *PARTS)
    assert throttle_of(answer.crash_id) == 3
    assert today(storage) == []
    assert list(storage.spool.iterdir()) == []


def test_the_throttler_sees_everything_that_was_sent(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    throttler = Always(Throttle.ACCEPT)
    post(create_app(settings, storage, queue, throttler), annotation("Email", "a@b"))
    (seen,) = throttler.seen
    assert {"Email", "metadata", "submitted_timestamp", "version"} <= seen.keys()


class BrokenThrottler:
    """A throttler with a bug, whose error quotes the report."""

    def judge(self, raw_crash: Mapping[str, Any]) -> Verdict:
        raise RuntimeError(f"cannot judge {raw_crash}")


def test_an_error_of_ours_is_a_500_that_tells_nothing_of_the_report(
    settings: Settings,
    storage: FilesystemStorage,
    queue: CrashQueue,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = post(create_app(settings, storage, queue, BrokenThrottler()), *PARTS)
    assert answer.status == 500
    assert json.loads(answer.body) == {"title": "500 Internal Server Error"}
    assert today(storage) == []
    assert list(storage.spool.iterdir()) == []
    assert "RuntimeError" in caplog.text
    assert "in judge" in caplog.text
    assert SECRET not in caplog.text


def test_log_lines_of_a_report_carry_its_crash_id_and_nothing_of_its_content(
    app: CollectorApp, caplog: pytest.LogCaptureFixture
) -> None:
    from socorro.logging import _add_crash_id

    caplog.handler.addFilter(_add_crash_id)
    caplog.set_level(logging.DEBUG)
    crash_id = post(app, *PARTS).crash_id
    assert {record.crash_id for record in caplog.records} == {crash_id}
    assert "matched by accept_everything; returned ACCEPT" in caplog.text
    assert SECRET not in caplog.text


def test_an_accepted_report_is_measured(app: CollectorApp) -> None:
    with MetricsMock() as metrics:
        post(app, *PARTS)
    prefix = "socorro.collector.breakpad_resource"
    metrics.assert_incr(f"{prefix}.incoming_crash")
    metrics.assert_incr(f"{prefix}.throttle_rule", tags=["rule:accept_everything"])
    metrics.assert_incr(f"{prefix}.throttle", tags=["result:accept"])
    metrics.assert_histogram(f"{prefix}.crash_size", tags=["payload:uncompressed"])
    metrics.assert_timing(f"{prefix}.on_post.time")
    metrics.assert_timing("socorro.collector.crashmover.crash_save.time")
    metrics.assert_timing("socorro.collector.crashmover.crash_publish.time")
    metrics.assert_incr("socorro.collector.crashmover.save_crash.count")


def test_a_malformed_report_is_counted_by_its_reason(app: CollectorApp) -> None:
    with MetricsMock() as metrics:
        post(app, dump("upload_file_minidump", b"MDMP"))
    metrics.assert_incr(
        "socorro.collector.breakpad_resource.malformed", tags=["reason:no_annotations"]
    )


def test_a_storage_that_hangs_sheds_load_and_health_checks_are_answered(
    settings: Settings, queue: CrashQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_checks, "LIMIT_SECONDS", 0.1)
    storage = SwitchedStorage(tmp_path / "crashes")
    app = create_app(replace(settings, max_uploads=3), storage, queue)
    storage.may_answer.clear()
    answers: list[Answer] = []
    waiting = [threading.Thread(target=lambda: answers.append(post(app, *PARTS))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    wait_until(lambda: storage.asked == 3, "as many reports as are let in hang")
    answer = post(app, *PARTS)
    assert (answer.status, answer.body) == (503, "Discarded=overloaded")
    assert int(answer.headers["retry-after"]) > 0
    for path, status in (("/__lbheartbeat__", 200), ("/__heartbeat__", 503)):
        assert call(app, Call(method="GET", path=path, content_type=None)).status == status
    storage.may_answer.set()
    for thread in waiting:
        thread.join()
    assert {answer.crash_id for answer in answers} <= set(today(storage))
    assert post(app, *PARTS).crash_id in today(storage)
