# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The backends that the contract suites run against: one entry in `params` adds one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from socorro.queue import CrashQueue, open_queue
from socorro.storage import CrashStorage, open_storage

LEASE_SECONDS = 60.0


@pytest.fixture(params=["fs"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty crash storage."""
    assert request.param == "fs"
    return f"fs://{tmp_path}/crashes"


@pytest.fixture
def storage(storage_url: str) -> CrashStorage:
    """An empty crash storage."""
    return open_storage(storage_url)


@pytest.fixture(params=["fs"])
def dead_storage(request: pytest.FixtureRequest, tmp_path: Path) -> CrashStorage:
    """A crash storage that can neither be read nor written."""
    assert request.param == "fs"
    (tmp_path / "file").write_text("a file where a folder should be")
    return open_storage(f"fs://{tmp_path}/file/crashes")


@pytest.fixture(params=["local"])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty crash queue."""
    assert request.param == "local"
    return f"local://{tmp_path}/queue"


@pytest.fixture
def queue(queue_url: str) -> Iterator[CrashQueue]:
    """An empty crash queue with leases longer than any test."""
    queue = open_queue(queue_url, lease_seconds=LEASE_SECONDS)
    yield queue
    queue.close()


@pytest.fixture
def brief_queue(queue_url: str) -> Iterator[CrashQueue]:
    """The same crash queue for receivers whose leases end at once."""
    queue = open_queue(queue_url, lease_seconds=0.05)
    yield queue
    queue.close()


@pytest.fixture(params=["local"])
def dead_queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CrashQueue]:
    """A crash queue that can neither be read nor written."""
    assert request.param == "local"
    (tmp_path / "file").write_text("a file where a folder should be")
    queue = open_queue(f"local://{tmp_path}/file/queue", lease_seconds=LEASE_SECONDS)
    yield queue
    queue.close()
