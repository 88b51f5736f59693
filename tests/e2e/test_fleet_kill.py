# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""kill -9 of any process of a fleet, or of an engine, loses no report that was acknowledged."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socorro.storage import open_storage
from tests.e2e.fleet import ROOMS, Fleet, made_fleet
from tests.e2e.load import under_load
from tests.e2e.server import wait_until
from tests.servers import PostgresServer, S3Server, SqsServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

Engine = S3Server | SqsServer | PostgresServer


@pytest.fixture
def engines(tmp_path: Path, aws_credentials: None) -> Iterator[list[Engine]]:
    with (
        S3Server(tmp_path / "s3") as s3,
        SqsServer(tmp_path / "sqs") as sqs,
        PostgresServer(durable=True) as postgres,
    ):
        yield [s3, sqs, postgres]


@pytest.fixture
def fleet(engines: list[Engine], tmp_path: Path, stackwalker_binary: Path) -> Iterator[Fleet]:
    s3, sqs, postgres = engines
    assert isinstance(s3, S3Server)
    assert isinstance(sqs, SqsServer)
    assert isinstance(postgres, PostgresServer)
    settings = {"LEASE_SECONDS": "4", "REQUEUE_AFTER": "4", "MAX_ATTEMPTS": "50"}
    fleet = made_fleet(tmp_path, s3, sqs, postgres, **settings)
    fleet.start()
    yield fleet
    fleet.kill()


def test_kill_9_at_any_moment_loses_no_acknowledged_report(
    fleet: Fleet, engines: list[Engine], soaking: bool
) -> None:
    chance = random.Random(20261122)
    with under_load(fleet, clients=3, pause=0.1) as load:
        for turn in range(80 if soaking else 12):
            time.sleep(chance.uniform(0.1, 1.5))
            if turn % 5 == 4:
                engine = chance.choice(engines)
                engine.kill()
                engine.start()
            room = ROOMS[turn % len(ROOMS)]
            fleet.kill_one(room)
            fleet.start_one(room)
            # One that checks its engines while one is away ends, and is started again.
            fleet.start_those_that_ended()
        wait_until("the fleet is ready", lambda: _is_back(fleet))
    lost = {crash_id for client in load for crash_id in client.acknowledged}
    total = len(lost)
    assert total > 20
    storage = open_storage(fleet.settings["CRASH_STORAGE"])

    def all_processed() -> bool:
        lost.difference_update([one for one in lost if storage.has_processed_crash(one)])
        return not lost

    # What a collector could not publish before it was killed is found by cronrun, each minute.
    wait_until(f"all of {total} acknowledged reports processed", all_processed, 300)
    fleet.assert_running()


def _is_back(fleet: Fleet) -> bool:
    fleet.start_those_that_ended()
    return fleet.is_up()
