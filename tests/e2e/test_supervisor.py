# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro run` as a service: refusals in one sentence, a quick start, an orderly stop."""

import os
import signal
import socket
from pathlib import Path

import psutil
import pytest

from tests.e2e.server import Server, free_port, wait_until

pytestmark = pytest.mark.e2e

WRONG_SETTING = 78


def test_a_port_in_use_is_one_sentence_that_names_the_setting(server: Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.webapp_port))
        taken.listen()
        refused = server.socorro("run")
    assert refused.returncode == WRONG_SETTING
    assert refused.stderr.strip() == (
        f"socorro: WEBAPP_PORT: port {server.webapp_port} on 127.0.0.1 is in use; stop the program "
        "that uses it or set WEBAPP_PORT to a free one."
    )


def test_a_data_folder_that_cannot_be_written_is_one_sentence(server: Server) -> None:
    # A file in the way: root may write into folders that are read-only for others.
    server.data.write_text("")
    refused = server.socorro("run")
    assert refused.returncode == WRONG_SETTING
    assert refused.stderr.startswith("socorro: SOCORRO_DATA: cannot write into")
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    server.start()
    other = Server(server.data, collector_port=free_port(), webapp_port=free_port())
    refused = other.socorro("run")
    assert refused.returncode == WRONG_SETTING
    assert "runs on" in refused.stderr
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("COLLECTOR_PORT", "http"), ("CRASH_STORAGE", "ftp://x"), ("PROCESSORS", "-1"),
     ("SOCORRO_CONFIG", "/nonexistent")],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence(server: Server, name: str, value: str) -> None:
    server.settings = {name: value}
    refused = server.socorro("run")
    assert refused.returncode == WRONG_SETTING
    assert refused.stderr.startswith(f"socorro: {name}")
    assert len(refused.stderr.strip().splitlines()) == 1


def test_stopping_leaves_no_process_and_a_second_start_serves_again(server: Server) -> None:
    server.start()
    processes = server.children()
    assert len(processes) >= 5
    assert server.stop() == 0
    assert not any(process.is_running() for process in processes)
    server.start()
    assert "Socorro is ready." in server.log.read_text()
    assert server.stop() == 0


def test_killing_the_supervisor_ends_its_children(server: Server) -> None:
    server.start()
    processes = server.children()
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    _, alive = psutil.wait_procs(processes, timeout=40)
    assert alive == []


@pytest.mark.parametrize("room", ["collector", "webapp", "processor", "cronrun"])
def test_a_child_that_dies_is_started_again(server: Server, room: str) -> None:
    server.start()
    victim = _child(server, room)
    os.kill(victim.pid, signal.SIGKILL)
    # Its own processes go with it: gunicorn's workers notice that their master is gone.
    wait_until("started again", lambda: _restarted(server, room, victim.pid))
    server.wait_until_ready()
    assert server.stop() == 0


def _child(server: Server, room: str) -> psutil.Process:
    assert server.process is not None
    return next(
        process
        for process in psutil.Process(server.process.pid).children()
        if any(room in word for word in process.cmdline())
    )


def _restarted(server: Server, room: str, old: int) -> bool:
    try:
        return _child(server, room).pid != old
    except (StopIteration, psutil.NoSuchProcess):
        return False


def test_reset_asks_and_refuses_while_a_server_runs(server: Server) -> None:
    server.start()
    crash_id = server.submit({"ProductName": "DemoApp", "Version": "1"})
    server.wait_for_crash(crash_id)
    refused = server.socorro("reset", "--yes")
    assert refused.returncode == WRONG_SETTING
    server.stop()
    done = server.socorro("reset", "--yes")
    assert done.returncode == 0, done.stderr
    server.start()
    assert server.processed_crash(crash_id) is None
    assert not list(Path(server.data, "crashes", "v1", "raw_crash").rglob(crash_id))
    server.stop()
