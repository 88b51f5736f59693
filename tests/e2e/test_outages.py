# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""S3, SQS and PostgreSQL go away under load, one after the other, and come back."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from socorro.search import open_index
from socorro.storage import open_storage
from tests.e2e.fleet import Fleet, made_fleet
from tests.e2e.load import Load, under_load
from tests.e2e.server import heartbeat, wait_until
from tests.servers import PostgresServer, S3Server, SqsServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

OUTAGE_SECONDS = 20.0
RealServer = S3Server | SqsServer | PostgresServer


@dataclass
class Engines:
    """Servers of a test's own: it stops them."""

    s3: S3Server
    sqs: SqsServer
    postgres: PostgresServer


@pytest.fixture
def engines(tmp_path: Path, aws_credentials: None) -> Iterator[Engines]:
    with (
        S3Server(tmp_path / "s3") as s3,
        SqsServer(tmp_path / "sqs") as sqs,
        PostgresServer() as postgres,
    ):
        yield Engines(s3, sqs, postgres)


@pytest.fixture
def fleet(engines: Engines, tmp_path: Path, stackwalker_binary: Path) -> Iterator[Fleet]:
    fleet = made_fleet(
        tmp_path, engines.s3, engines.sqs, engines.postgres, LEASE_SECONDS="15", REQUEUE_AFTER="30"
    )
    fleet.start()
    yield fleet
    fleet.kill()


def stopped(server: RealServer) -> Callable[[], None]:
    """Stop a server, so that connections are refused; return what starts it again."""
    server.stop()
    return server.start


def hanging(server: RealServer) -> Callable[[], None]:
    """Freeze a server, so that it takes connections and never answers; return what thaws it."""
    server.pause()
    return server.resume


@pytest.mark.parametrize("go_away", [stopped, hanging])
def test_an_outage_of_each_engine_loses_no_acknowledged_crash(
    fleet: Fleet, engines: Engines, go_away: Callable[[RealServer], Callable[[], None]]
) -> None:
    processes = {room: process.pid for room, process in fleet.processes.items()}
    with under_load(fleet, clients=3, pause=0.1) as load:
        wait_until("crashes before the outages", lambda: acknowledged(load) > 10)
        during_s3 = outage(fleet, load, go_away(engines.s3))
        during_sqs = outage(fleet, load, go_away(engines.sqs))
        during_postgres = outage(fleet, load, go_away(engines.postgres))
    # Without storage nothing is acknowledged: a crash in flight at the first moment may have been.
    assert len(during_s3.acknowledged) <= len(load)
    assert during_s3.refused > 0
    assert during_s3.heartbeats == (503, 503)
    # Without the queue, reports are stored and acknowledged all the same.
    assert len(during_sqs.acknowledged) > 0
    assert during_sqs.heartbeats[0] == 503
    assert len(during_postgres.acknowledged) > 10
    assert during_postgres.heartbeats == (200, 503)
    assert_refused_politely(load)
    fleet.assert_running()
    assert processes == {room: process.pid for room, process in fleet.processes.items()}
    lost = {crash_id for client in load for crash_id in client.acknowledged}
    total = len(lost)
    storage = open_storage(fleet.settings["CRASH_STORAGE"])
    index = open_index(fleet.settings["SEARCH"])

    def all_arrived() -> bool:
        lost.difference_update([one for one in lost if storage.has_processed_crash(one)])
        return not lost and index.pending() == 0

    wait_until(f"all of {total} acknowledged crashes processed", all_arrived, 240)
    ids = [crash_id for client in load for crash_id in client.acknowledged]
    assert index.containing(ids) == set(ids)
    index.close()
    wait_until("the fleet works again", fleet.is_up)
    assert set(fleet.stop().values()) == {0}


@dataclass
class During:
    """What happened during one outage; `heartbeats` are those of collector and Crash Stats."""

    acknowledged: list[str]
    refused: int
    heartbeats: tuple[int, int]


def outage(fleet: Fleet, load: list[Load], come_back: Callable[[], None]) -> During:
    """Let an outage last, then end it and wait until reports are acknowledged again."""
    before = [len(client.acknowledged) for client in load]
    refused = sum(len(client.refused) for client in load)
    ends = time.monotonic() + OUTAGE_SECONDS
    heartbeats = (heartbeat(fleet.collector), heartbeat(fleet.webapp))
    time.sleep(max(0.0, ends - time.monotonic()))
    seen = [
        crash_id
        for client, known in zip(load, before, strict=True)
        for crash_id in client.acknowledged[known:]
    ]
    come_back()
    during = During(seen, sum(len(client.refused) for client in load) - refused, heartbeats)
    now = acknowledged(load)
    wait_until("reports are acknowledged again", lambda: acknowledged(load) > now + 3)
    return during


def acknowledged(load: list[Load]) -> int:
    return sum(len(client.acknowledged) for client in load)


def assert_refused_politely(load: list[Load]) -> None:
    """Every report that was not taken got a 503 that says when to come again."""
    for client in load:
        assert client.unanswered == 0
        for answer in client.refused:
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.text == "Discarded=storage_unavailable"
