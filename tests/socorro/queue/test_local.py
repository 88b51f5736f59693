# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The local queue: its file, and what disturbs it."""

import sqlite3
from pathlib import Path

import pytest

from socorro.queue import QueueName, QueueUnavailable, Task, local, open_queue
from tests.contract.reports import new_id


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"local://{tmp_path}/queue"


def test_opening_a_queue_makes_nothing(url: str, tmp_path: Path) -> None:
    open_queue(url, lease_seconds=1)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_lasts_is_an_error_and_no_hang(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_BUSY_SECONDS", 0.1)
    queue = open_queue(url, lease_seconds=1)
    queue.verify()
    other = sqlite3.connect(tmp_path / "queue" / "queue.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueUnavailable, match="locked"):
        queue.publish(QueueName.STANDARD, [Task(new_id())])
    other.rollback()
    queue.publish(QueueName.STANDARD, [Task(new_id())])
    assert queue.depth()[QueueName.STANDARD].ready == 1


def test_a_file_that_is_no_database_is_an_error(url: str, tmp_path: Path) -> None:
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "queue.db").write_bytes(b"no database" * 1000)
    with pytest.raises(QueueUnavailable, match=r"queue\.db"):
        open_queue(url, lease_seconds=1).verify()


def test_a_database_of_another_version_is_left_alone(url: str, tmp_path: Path) -> None:
    open_queue(url, lease_seconds=1).verify()
    with sqlite3.connect(tmp_path / "queue" / "queue.db") as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(QueueUnavailable, match="another version"):
        open_queue(url, lease_seconds=1).verify()


def test_a_queue_that_was_removed_is_made_again_after_an_error(url: str, tmp_path: Path) -> None:
    queue = open_queue(url, lease_seconds=1)
    queue.verify()
    queue.close()
    for path in (tmp_path / "queue").iterdir():
        path.unlink()
    queue.publish(QueueName.STANDARD, [Task(new_id())])
    assert queue.depth()[QueueName.STANDARD].ready == 1


@pytest.mark.parametrize("url", ["", "local://", "sqs:/x", "/tmp/x"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="crash queue"):
        open_queue(url, lease_seconds=1)
