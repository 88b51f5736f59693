# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The system as a fleet: separate processes that share S3, SQS, PostgreSQL and the index alone.

Each process has a data folder of its own, as on a machine of its own.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.server import Installation, wait_until
from tests.servers import PostgresServer, S3Server, SqsServer

ROOMS = ("collector", "processor", "webapp", "cronrun")
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0


@dataclass
class Fleet(Installation):
    """`socorro collector`, `processor`, `webapp` and `cronrun`, one process each."""

    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The settings of commands; they run on the machine of the processor."""
        return self.environ_of("processor")

    def environ_of(self, room: str) -> dict[str, str]:
        return {**super().environ, "SOCORRO_DATA": str(self.data / room)}

    def log_of(self, room: str) -> Path:
        return self.data / f"{room}.log"

    def prepare(self) -> None:
        """Make buckets, queues and tables, as an operator does once."""
        self.data.mkdir(parents=True, exist_ok=True)
        for command in ("provision", "migrate"):
            done = self.socorro(command)
            assert done.returncode == 0, done.stdout + done.stderr

    def start(self, rooms: Sequence[str] = ROOMS) -> None:
        for room in rooms:
            self.start_one(room)
        if {"collector", "webapp"} <= set(rooms):
            wait_until("the fleet is ready", self.is_ready, _START_SECONDS)

    def start_one(self, room: str) -> None:
        with self.log_of(room).open("ab") as log:
            self.processes[room] = subprocess.Popen(
                self.command(room),
                env=self.environ_of(room),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        self.assert_running()
        return self.is_up()

    def assert_running(self) -> None:
        for room, process in self.processes.items():
            assert process.poll() is None, f"{room} ended:\n{self.tail(room)}"

    def tail(self, room: str) -> str:
        return self.log_of(room).read_text(errors="replace")[-4000:]

    def stop(self) -> dict[str, int]:
        """Stop all as a service manager does, the front door first; return the exit codes."""
        return {room: self.stop_one(room) for room in tuple(self.processes)}

    def stop_one(self, room: str) -> int:
        process = self.processes.pop(room)
        process.send_signal(signal.SIGTERM)
        return process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """kill -9 whatever still runs, children included."""
        for room in tuple(self.processes):
            self.kill_one(room)

    def kill_one(self, room: str) -> None:
        """kill -9 one process and its children."""
        process = self.processes.pop(room)
        # Its group is its own, and its workers are in it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def start_those_that_ended(self) -> None:
        """Start what is not running, as a service manager does."""
        for room, process in tuple(self.processes.items()):
            if process.poll() is not None:
                self.start_one(room)


def made_fleet(
    folder: Path,
    s3: S3Server,
    sqs: SqsServer,
    postgres: PostgresServer,
    **settings: str,
) -> Fleet:
    """Return a fleet with buckets, queues and a database of its own, made and not started."""
    name = f"fleet-{abs(hash(folder)) % 10**12}"
    engines: Mapping[str, str] = {
        "CRASH_STORAGE": s3.url(f"{name}-crashes"),
        "TELEMETRY_STORAGE": s3.url(f"{name}-telemetry"),
        "CRASH_QUEUE": sqs.url(name),
        "DATABASE_URL": postgres.create_database(),
        "SEARCH": f"embedded://{folder}/search",
        # Sessions and forms are signed alike on all machines.
        "SECRET_KEY": "a-key-of-the-tests-" * 4,
    }
    fleet = Fleet(folder / "fleet", settings={**engines, **settings})
    fleet.prepare()
    return fleet
