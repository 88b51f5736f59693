# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Restarts and reloads under load: nobody is refused, nothing acknowledged is lost."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.collector.made_requests import annotation, dump, multipart
from tests.collector.raw_http import (
    GUNICORN,
    CollectorServer,
    Connection,
    children_of,
    submit_request,
)
from tests.contract.processes import wait_until

REQUEST = submit_request(
    multipart(annotation("ProductName", "DemoApp"), dump("upload_file_minidump", b"MDMP" * 5000))
)

# The protocol wants the socket as descriptor 3 and the process id of whoever gets it.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class ActivatedServer(CollectorServer):
    """A collector whose listening socket is held by somebody else, as systemd does."""

    listener: socket.socket = field(default_factory=socket.socket)

    def listen(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]

    def spawn(self) -> subprocess.Popen[bytes]:
        held = self.listener.fileno()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", ACTIVATE, str(held), sys.executable, *GUNICORN],
                env=self.environ,
                stdout=log,
                stderr=log,
                pass_fds=[held],
            )
        return self.process


class Clients:
    """Clients that send one report after the other, some on connections that they keep."""

    def __init__(self, server: CollectorServer) -> None:
        self._server = server
        self._stopped = threading.Event()
        self.acknowledged: list[str] = []
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._send, args=(number % 3 == 0,)) for number in range(6)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _send(self, keep: bool) -> None:
        while not self._stopped.is_set():
            try:
                with self._server.connect() as connection:
                    self._send_on(connection, 20 if keep else 1)
            except OSError as error:
                self.failures.append(repr(error))
                time.sleep(0.05)

    def _send_on(self, connection: Connection, times: int) -> None:
        for _ in range(times):
            connection.send(REQUEST)
            answer = connection.answer()
            if answer.status != 200:
                self.failures.append(repr(answer))
            else:
                self.acknowledged.append(answer.crash_id)
            if answer.headers.get("connection") == "close":
                return


def assert_all_stored(server: CollectorServer, clients: Clients) -> None:
    stored = {path.name for path in (server.folder / "crashes/v1/raw_crash").glob("*/*/*")}
    assert set(clients.acknowledged) == stored
    assert server.queue.holding(clients.acknowledged) == stored
    assert list(server.storage.spool.iterdir()) == []


@pytest.fixture
def activated(tmp_path: Path) -> Iterator[ActivatedServer]:
    server = ActivatedServer(tmp_path, {"COLLECTOR_WORKERS": "2"})
    server.listen()
    yield server
    server.kill()
    server.listener.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CollectorServer]:
    server = CollectorServer(tmp_path, {"COLLECTOR_WORKERS": "2"})
    server.start()
    yield server
    server.kill()


def test_a_restart_with_an_inherited_socket_refuses_nobody(activated: ActivatedServer) -> None:
    activated.start()
    clients = Clients(activated)
    try:
        for restart in range(1, 3):
            wait_for_load(clients, 100 * restart)
            assert activated.stop() == 0
            # Whoever comes now waits in the queue of the socket.
            activated.spawn()
        before = len(clients.acknowledged)
        wait_until(lambda: len(clients.acknowledged) > before + 100, "the new one serves")
    finally:
        clients.stop()
    assert activated.stop() == 0
    assert clients.failures == []
    assert_all_stored(activated, clients)


def test_who_waits_while_there_is_no_collector_is_served_by_the_next(
    activated: ActivatedServer,
) -> None:
    waiting = [activated.connect() for _ in range(20)]
    for connection in waiting:
        connection.send(REQUEST)
    activated.spawn()
    try:
        assert len({connection.answer().crash_id for connection in waiting}) == 20
    finally:
        for connection in waiting:
            connection.socket.close()


def test_a_reload_under_load_loses_nothing(server: CollectorServer) -> None:
    assert server.process is not None
    clients = Clients(server)
    try:
        for _ in range(2):
            before = len(clients.acknowledged)
            wait_for_load(clients, before + 50)
            workers = set(children_of(server.process.pid))
            server.process.send_signal(signal.SIGHUP)
            wait_for_others(server, workers)
        before = len(clients.acknowledged)
        wait_until(lambda: len(clients.acknowledged) > before + 50, "the new workers serve")
    finally:
        clients.stop()
    assert server.stop() == 0
    assert clients.failures == []
    assert_all_stored(server, clients)


def wait_for_load(clients: Clients, acknowledged: int) -> None:
    wait_until(lambda: len(clients.acknowledged) > acknowledged, "a load")


def wait_for_others(server: CollectorServer, workers: set[int]) -> None:
    wait_until(lambda: not workers & _workers(server), "new workers")


def _workers(server: CollectorServer) -> set[int]:
    assert server.process is not None
    return set(children_of(server.process.pid))


def test_a_successor_that_gets_the_socket_by_sigusr2_takes_over(server: CollectorServer) -> None:
    assert server.process is not None
    clients = Clients(server)
    successor = 0
    try:
        wait_until(lambda: len(clients.acknowledged) > 50, "a load")
        old = server.process.pid
        workers = _workers(server)
        server.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: len(_workers(server)) > len(workers), "a new master")
        (successor,) = _workers(server) - workers
        wait_until(lambda: len(children_of(successor)) == 2, "its workers")
        wait_until(lambda: server.log.count("takes reports at") == 2, "it serves")
        os.kill(old, signal.SIGTERM)
        assert server.process.wait(60) == 0
        before = len(clients.acknowledged)
        wait_until(lambda: len(clients.acknowledged) > before + 50, "the new one serves")
    finally:
        clients.stop()
        if successor:
            os.kill(successor, signal.SIGTERM)
            wait_until(lambda: not Path(f"/proc/{successor}").exists(), "it ends")
    assert clients.failures == []
    assert_all_stored(server, clients)


def test_settings_that_are_wrong_by_now_do_not_end_a_server_that_is_reloaded(
    tmp_path: Path,
) -> None:
    config = tmp_path / "socorro.env"
    config.write_text("MAX_PARTS=4000\n")
    server = CollectorServer(tmp_path, {"SOCORRO_CONFIG": str(config)})
    server.start()
    try:
        assert server.process is not None
        master = server.process.pid
        before = set(children_of(master))
        config.write_text("MAX_PARTS=none\n")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not before & set(children_of(master)), "the old workers are gone")
        assert server.send(REQUEST).crash_id
        assert server.stop() == 0
    finally:
        server.kill()
