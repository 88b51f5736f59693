# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Storage, queue and all else of a collector on one small disk, which is full for a while."""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from socorro.queue import LocalQueue
from socorro.storage import FilesystemStorage
from tests.collector.raw_http import GUNICORN, CollectorServer
from tests.contract.processes import wait_until
from tests.faults.load import check_refusals, under_load
from tests.faults.made_reports import tokens_of

HEARTBEAT = b"GET /__heartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n"
# Who is not root may mount in a namespace of users of its own.
_IS_ROOT = os.geteuid() == 0
_OF_USERS = [] if _IS_ROOT else ["--user", "--map-root-user"]
_INTO_USERS = [] if _IS_ROOT else ["--user", "--preserve-credentials"]
_MOUNTED = 'mount -t tmpfs -o size=8m,mode=700 tmpfs "$0" && exec "$@"'


@dataclass
class ServerOnDisk(CollectorServer):
    """A collector whose data folder is a disk that no other process sees, but through /proc."""

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def seen_disk(self) -> Path:
        """The disk as we see it while the collector runs."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/root{self.disk}")

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "SOCORRO_DATA": str(self.disk)}

    def spawn(self) -> subprocess.Popen[bytes]:
        self.disk.mkdir()
        in_namespace = ["unshare", *_OF_USERS, "--mount", "sh", "-c", _MOUNTED, str(self.disk)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*in_namespace, sys.executable, *GUNICORN],
                env=self.environ,
                stdout=log,
                stderr=log,
            )
        return self.process

    def enlarge(self) -> None:
        """Make the disk larger."""
        assert self.process is not None
        namespace = ["nsenter", "--target", str(self.process.pid), *_INTO_USERS, "--mount"]
        remount = ["mount", "-o", "remount,size=128m", str(self.disk)]
        subprocess.run([*namespace, *remount], check=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerOnDisk]:
    """A collector of this test's own."""
    server = ServerOnDisk(tmp_path, {"COLLECTOR_WORKERS": "2"})
    yield server
    server.kill()


def test_a_full_disk_takes_no_report_by_half_and_loses_none(server: ServerOnDisk) -> None:
    server.start()
    with under_load(server) as clients:
        wait_until(lambda: len(clients.refused) > 20, "the disk is full")
        wait_until(lambda: server.send(HEARTBEAT).status == 503, "the heartbeat says so")
        server.enlarge()
        clients.wait_for_more()
    wait_until(lambda: server.send(HEARTBEAT).status == 200, "all is well")
    check_refusals(clients)
    storage = FilesystemStorage(server.seen_disk / "crashes")
    # Nobody was left without an answer, so that there is nothing but what was acknowledged.
    assert clients.unanswered == 0
    assert tokens_of([storage], server.folder) == clients.tokens
    assert queued(server, clients.tokens) == set(clients.tokens)


def queued(server: ServerOnDisk, crash_ids: Collection[str]) -> frozenset[str]:
    """Return which ids are in the queue, once none waits to get there."""
    wait_until(lambda: not any(server.seen_disk.glob("unpublished/*-*")), "all are published")
    # SQLite does not find its files by way of /proc.
    copy = shutil.copytree(server.seen_disk / "queue", server.folder / "queue")
    queue = LocalQueue(copy, lease_seconds=60)
    try:
        return queue.holding(crash_ids)
    finally:
        queue.close()
