# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Outages while reports come in: nothing acknowledged is lost, nothing half is visible.

`make test` lets each last some seconds, `make soak` a minute.
"""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from socorro.queue import CrashQueue, open_queue
from socorro.storage import CrashStorage, open_storage
from tests.collector.raw_http import CollectorServer, children_of, submit_request
from tests.contract.conftest import new_bucket
from tests.contract.processes import wait_until
from tests.faults.load import Clients, check_refusals, check_stored, under_load
from tests.faults.made_reports import body_of
from tests.servers import S3Server, SqsServer

# The stand-ins for S3 and SQS are slower than what they stand for.
_ENGINE_PAUSE = 0.3


@pytest.fixture
def seconds(soaking: bool) -> float:
    """How long an outage lasts."""
    return 60.0 if soaking else 3.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CollectorServer]:
    """A collector with two workers; the test starts it."""
    server = CollectorServer(tmp_path, {"COLLECTOR_WORKERS": "2"})
    yield server
    server.kill()


def with_settings(server: CollectorServer, **settings: str) -> None:
    server.settings = {**server.settings, **settings}


def fallback_of(server: CollectorServer) -> CrashStorage:
    """Give a server a fallback storage."""
    url = f"fs://{server.folder}/fallback"
    with_settings(server, FALLBACK_STORAGE=url)
    return open_storage(url)


@contextmanager
def in_the_way(folder: Path) -> Iterator[None]:
    """Have a file in the place of a folder, as if its disk were gone."""
    away = folder.with_name(f"{folder.name}-away")
    folder.rename(away)
    folder.write_text("a file where a folder should be")
    try:
        yield
    finally:
        folder.unlink()
        away.rename(folder)


@contextmanager
def stopped(engine: S3Server | SqsServer) -> Iterator[None]:
    """Stop a server and start it again."""
    engine.stop()
    try:
        yield
    finally:
        engine.start()


def check_published(clients: Clients, queue: CrashQueue) -> None:
    """Fail unless each acknowledged report is published."""
    missing = set(clients.tokens)

    def all_published() -> bool:
        for message in queue.receive(100, wait=0.5):
            missing.discard(message.task.crash_id)
            queue.acknowledge(message)
        return not missing

    wait_until(all_published, "every acknowledged report is published")


def test_without_a_fallback_nobody_is_acknowledged_while_storage_is_down(
    server: CollectorServer, seconds: float, tmp_path: Path
) -> None:
    server.start()
    with under_load(server) as clients:
        with in_the_way(tmp_path / "crashes"):
            time.sleep(1)
            before = clients.mark()
            time.sleep(seconds)
            after = clients.mark()
        clients.wait_for_more()
    assert before.acknowledged == after.acknowledged
    assert after.refused > before.refused
    check_refusals(clients)
    check_stored(clients, server.storage, [], tmp_path)
    check_published(clients, server.queue)


def test_the_fallback_takes_reports_while_storage_is_down(
    server: CollectorServer, seconds: float, tmp_path: Path
) -> None:
    fallback = fallback_of(server)
    server.start()
    with under_load(server) as clients:
        with in_the_way(tmp_path / "crashes"):
            time.sleep(1)
            before = clients.mark()
            time.sleep(seconds)
            after = clients.mark()
        clients.wait_for_more()
    assert after.acknowledged > before.acknowledged
    assert after.refused == before.refused
    check_refusals(clients)
    check_stored(clients, server.storage, [fallback], tmp_path)
    check_published(clients, server.queue)


@pytest.mark.parametrize("has_fallback", [False, True], ids=["alone", "with a fallback"])
def test_s3_goes_away_and_comes_back(
    server: CollectorServer,
    s3_server: S3Server,
    seconds: float,
    tmp_path: Path,
    has_fallback: bool,
) -> None:
    url = new_bucket(s3_server)
    with_settings(server, CRASH_STORAGE=f"{url}&spool={tmp_path}/spool")
    others = [fallback_of(server)] if has_fallback else []
    server.start()
    with under_load(server, _ENGINE_PAUSE) as clients:
        with stopped(s3_server):
            time.sleep(1)
            before = clients.mark()
            time.sleep(seconds)
            after = clients.mark()
        clients.wait_for_more()
    assert (after.acknowledged > before.acknowledged) is has_fallback
    check_refusals(clients)
    check_stored(clients, open_storage(url), others, tmp_path)
    check_published(clients, server.queue)


def test_sqs_goes_away_and_comes_back(
    server: CollectorServer, sqs_server: SqsServer, seconds: float, tmp_path: Path
) -> None:
    sqs_server.create_queues("outage")
    url = sqs_server.url("outage")
    with_settings(server, CRASH_QUEUE=url)
    server.start()
    with under_load(server, _ENGINE_PAUSE) as clients, stopped(sqs_server):
        before = clients.mark()
        time.sleep(seconds)
        clients.wait_for_more()
    assert clients.mark().refused == before.refused == 0
    check_stored(clients, server.storage, [], tmp_path)
    check_published(clients, open_queue(url, lease_seconds=60))


def test_the_queue_of_this_machine_cannot_be_written_for_a_while(
    server: CollectorServer, seconds: float, tmp_path: Path
) -> None:
    server.start()
    with under_load(server) as clients:
        with in_the_way(tmp_path / "queue"):
            time.sleep(seconds)
            clients.wait_for_more()
        clients.wait_for_more()
    assert clients.refused == []
    check_stored(clients, server.storage, [], tmp_path)
    check_published(clients, server.queue)


def test_sigterm_under_load_loses_nothing(server: CollectorServer, tmp_path: Path) -> None:
    server.start()
    with under_load(server) as clients:
        assert server.stop() == 0
    assert clients.refused == []
    check_stored(clients, server.storage, [], tmp_path)
    check_published(clients, server.queue)
    assert list(server.storage.spool.iterdir()) == []


def test_sighup_under_load_loses_nothing(
    server: CollectorServer, seconds: float, tmp_path: Path
) -> None:
    server.start()
    assert server.process is not None
    with under_load(server) as clients:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            workers = set(children_of(server.process.pid))
            server.process.send_signal(signal.SIGHUP)
            wait_until(
                lambda workers=workers: not workers & set(children_of(server.process.pid)),
                "all workers are new ones",
            )
            clients.wait_for_more()
    assert clients.refused == []
    check_stored(clients, server.storage, [], tmp_path)
    check_published(clients, server.queue)


def kill_workers(server: CollectorServer) -> None:
    assert server.process is not None
    for worker in children_of(server.process.pid):
        os.kill(worker, signal.SIGKILL)


def kill_all(server: CollectorServer) -> None:
    server.kill()
    server.start()


@pytest.mark.parametrize("kill", [kill_workers, kill_all])
def test_a_kill_under_load_loses_nothing(
    server: CollectorServer,
    seconds: float,
    tmp_path: Path,
    kill: Callable[[CollectorServer], None],
) -> None:
    server.start()
    with under_load(server) as clients:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            kill(server)
            clients.wait_for_more()
    assert clients.refused == []
    check_stored(clients, server.storage, [], tmp_path)
    check_published(clients, server.queue)


def test_a_kill_of_everything_while_storage_and_queue_are_down_loses_nothing(
    server: CollectorServer, tmp_path: Path
) -> None:
    fallback = fallback_of(server)
    server.start()
    with under_load(server) as clients:
        with in_the_way(tmp_path / "crashes"), in_the_way(tmp_path / "queue"):
            clients.wait_for_more()
            server.kill()
        server.start()
        clients.wait_for_more()
    check_refusals(clients)
    check_stored(clients, server.storage, [fallback], tmp_path)
    check_published(clients, server.queue)


def test_200_slow_clients_keep_nobody_waiting(
    server: CollectorServer, seconds: float, tmp_path: Path
) -> None:
    server.start()
    request = submit_request(body_of("slow"))
    done = threading.Event()
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]

    # Half of them are in the head, half in the body.
    sent = [400 * (number % 2) for number in range(len(slow))]
    for client, length in zip(slow, sent, strict=True):
        client.sendall(request[:length])

    def trickle() -> None:
        while not done.wait(0.2):
            for number, client in enumerate(slow):
                with suppress(OSError):
                    client.sendall(request[sent[number] : sent[number] + 1])
                sent[number] += 1

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        with under_load(server) as clients:
            time.sleep(seconds)
            clients.wait_for_more()
    finally:
        done.set()
        thread.join()
        for client in slow:
            client.close()
    check_refusals(clients)
    assert len(clients.refused) < len(clients.tokens)
    check_stored(clients, server.storage, [], tmp_path)
    check_published(clients, server.queue)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Have a folder be a disk of its own."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("has_fallback", [False, True], ids=["alone", "with a fallback"])
def test_the_disk_is_full(server: CollectorServer, tmp_path: Path, has_fallback: bool) -> None:
    others = [fallback_of(server)] if has_fallback else []
    crashes = tmp_path / "crashes"
    with small_disk(crashes, "8m"):
        server.start()
        with under_load(server) as clients:
            if has_fallback:
                wait_until(lambda: bool(others[0].list_days()), "the disk is full")
            else:
                wait_until(lambda: len(clients.refused) > 5, "the disk is full")
            subprocess.run(["mount", "-o", "remount,size=256m", str(crashes)], check=True)
            clients.wait_for_more()
        check_refusals(clients)
        if has_fallback:
            assert clients.refused == []
        check_stored(clients, server.storage, others, tmp_path)
        check_published(clients, server.queue)
        server.kill()


@pytest.mark.parametrize("has_fallback", [False, True], ids=["alone", "with a fallback"])
def test_the_disk_becomes_read_only(
    server: CollectorServer, seconds: float, tmp_path: Path, has_fallback: bool
) -> None:
    others = [fallback_of(server)] if has_fallback else []
    crashes = tmp_path / "crashes"
    # A minute of reports has more than a GB.
    with small_disk(crashes, "4g"):
        server.start()
        with under_load(server) as clients:
            wait_until(lambda: remounted(crashes, "ro"), "the disk is read-only")
            time.sleep(0.5)
            before = clients.mark()
            time.sleep(seconds)
            after = clients.mark()
            assert remounted(crashes, "rw")
            clients.wait_for_more()
        assert (after.acknowledged > before.acknowledged) is has_fallback
        check_refusals(clients)
        check_stored(clients, server.storage, others, tmp_path)
        check_published(clients, server.queue)
        server.kill()


def remounted(folder: Path, mode: str) -> bool:
    """Remount a disk; it refuses to become read-only while a file on it is being written."""
    done = subprocess.run(
        ["mount", "-o", f"remount,{mode}", str(folder)], capture_output=True, check=False
    )
    return done.returncode == 0
