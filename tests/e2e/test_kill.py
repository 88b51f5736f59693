# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""kill -9 of any process at any moment loses no report that was acknowledged."""

import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.load import Load
from tests.e2e.server import Server, wait_until

pytestmark = pytest.mark.e2e

ROOMS = ("collector", "processor", "webapp")


def kills(soaking: bool) -> int:
    return 100 if soaking else 12


def test_kill_9_at_any_moment_loses_no_acknowledged_report(server: Server, soaking: bool) -> None:
    server.settings = {"LEASE_SECONDS": "4", "REQUEUE_AFTER": "4", "MAX_ATTEMPTS": "50"}
    chance = random.Random(20261122)
    server.start()
    load = [Load(server, number) for number in range(3)]
    for thread in load:
        thread.start()
    for turn in range(kills(soaking)):
        time.sleep(chance.uniform(0.1, 1.5))
        kill_when_it_runs(server, ROOMS[turn % len(ROOMS)], chance)
    everything_killed = chance.uniform(0.1, 1.0)
    time.sleep(everything_killed)
    server.kill_everything()
    server.start()
    time.sleep(1)
    acknowledged = [crash_id for thread in load for crash_id in thread.stop()]
    assert len(acknowledged) > 20
    lost = set(acknowledged)

    def all_processed() -> bool:
        lost.difference_update([crash_id for crash_id in lost if is_processed(server, crash_id)])
        return not lost

    wait_until(f"all of {len(acknowledged)} acknowledged reports processed", all_processed, 240)
    assert server.stop() == 0
    assert_nothing_half(server.data)


def kill_when_it_runs(server: Server, room: str, chance: random.Random) -> None:
    """Kill a process of a room; one that was killed often is started again later and later."""
    wait_until(f"a process of the {room} to kill", lambda: kill_one(server, room, chance))


def kill_one(server: Server, room: str, chance: random.Random) -> bool:
    """Kill a process of a room, master or worker; False if there was none at the moment."""
    victims = [process for process in server.children() if _belongs(process, room)]
    if not victims:
        return False
    try:
        os.kill(chance.choice(victims).pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _belongs(process: psutil.Process, room: str) -> bool:
    try:
        return any(room in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def is_processed(server: Server, crash_id: str) -> bool:
    day, fan = f"20{crash_id[-6:]}", crash_id[:3]
    return (server.data / "crashes/v1/processed_crash" / day / fan / crash_id).is_file()


def assert_nothing_half(data: Path) -> None:
    """Every raw crash that is visible has its dump names, and every dump that they name."""
    root = data / "crashes" / "v1"
    for raw in (root / "raw_crash").rglob("*-*"):
        names = root / "dump_names" / raw.relative_to(root / "raw_crash")
        assert names.is_file()
        if "upload_file_minidump" in names.read_text():
            assert (root / "dump" / raw.relative_to(root / "raw_crash")).is_file()
