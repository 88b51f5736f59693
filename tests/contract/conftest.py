# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The backends that the contract suites run against: one entry in `params` adds one."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from socorro.queue import CrashQueue, open_queue
from socorro.storage import CrashStorage, open_storage
from tests.servers.ports import free_port

if TYPE_CHECKING:
    from tests.servers import S3Server

LEASE_SECONDS = 60.0


def new_bucket(server: "S3Server") -> str:
    """Make an empty bucket; return its URL."""
    name = f"crashes-{secrets.token_hex(6)}"
    server.create_bucket(name)
    return server.url(name)


@pytest.fixture(params=["fs", "s3"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty crash storage."""
    if request.param == "fs":
        return f"fs://{tmp_path}/crashes"
    assert request.param == "s3"
    return f"{new_bucket(request.getfixturevalue('s3_server'))}&spool={tmp_path}/spool"


@pytest.fixture
def storage(storage_url: str) -> CrashStorage:
    """An empty crash storage."""
    return open_storage(storage_url)


@pytest.fixture
def exact_storage(tmp_path: Path) -> CrashStorage:
    """An empty crash storage that tells a save that failed from one whose answer was lost."""
    return open_storage(f"fs://{tmp_path}/crashes")


@pytest.fixture(params=["fs", "s3 unreachable", "s3 without bucket", "s3 with a wrong secret"])
def dead_storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CrashStorage:
    """A crash storage that can neither be read nor written."""
    if request.param == "fs":
        (tmp_path / "file").write_text("a file where a folder should be")
        return open_storage(f"fs://{tmp_path}/file/crashes")
    server: S3Server = request.getfixturevalue("s3_server")
    if request.param == "s3 unreachable":
        return open_storage(f"s3://crashes?endpoint=http://127.0.0.1:{free_port()}")
    if request.param == "s3 without bucket":
        return open_storage(server.url("no-such-bucket"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    return open_storage(new_bucket(server))


@pytest.fixture(params=["local", "sqs"])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty crash queue."""
    if request.param == "local":
        return f"local://{tmp_path}/queue"
    assert request.param == "sqs"
    server = request.getfixturevalue("sqs_server")
    prefix = f"contract-{secrets.token_hex(6)}"
    server.create_queues(prefix)
    return str(server.url(prefix))


@pytest.fixture
def queue(queue_url: str) -> Iterator[CrashQueue]:
    """An empty crash queue with leases longer than any test."""
    queue = open_queue(queue_url, lease_seconds=LEASE_SECONDS)
    yield queue
    queue.close()


@pytest.fixture
def brief_lease(queue_url: str) -> float:
    """The shortest lease, in seconds, that a test can wait for; SQS knows whole seconds."""
    return 0.05 if queue_url.startswith("local://") else 1.0


@pytest.fixture
def brief_queue(queue_url: str, brief_lease: float) -> Iterator[CrashQueue]:
    """The same crash queue for receivers whose leases end at once."""
    queue = open_queue(queue_url, lease_seconds=brief_lease)
    yield queue
    queue.close()


@pytest.fixture(params=["local", "sqs-missing", "sqs-unreachable"])
def dead_queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CrashQueue]:
    """A crash queue that can neither be read nor written."""
    queue = open_queue(_dead_queue_url(request, tmp_path), lease_seconds=LEASE_SECONDS)
    yield queue
    queue.close()


def _dead_queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "local":
            (tmp_path / "file").write_text("a file where a folder should be")
            return f"local://{tmp_path}/file/queue"
        case "sqs-missing":
            return str(request.getfixturevalue("sqs_server").url("nobody-made-it"))
        case "sqs-unreachable":
            request.getfixturevalue("aws_credentials")
            return f"sqs://crashes?endpoint=http://127.0.0.1:{free_port()}"
    raise ValueError(request.param)
