# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What `docker compose up` would start, as processes of this machine.

The installed tree with the commands, settings and health checks of docker-compose.yml, on real
engines; only addresses and folders are other ones.
"""

import signal
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.docker.conftest import BUILD_ARGUMENTS
from tests.docker.files import environment_files, read_environment, read_services, seconds
from tests.docker.installation import Installation
from tests.e2e.server import wait_until
from tests.servers import PostgresServer, S3Server, SqsServer
from tests.servers.credentials import aws_environment
from tests.servers.ports import free_port

SERVICES = read_services()
_LONG_LIVED = ("collector", "processor", "webapp", "cron")
_PORTS = {"collector": "8000", "webapp": "8001"}
_START_SECONDS = 90.0


class Rehearsal:
    """The services of our own, as processes of this machine."""

    def __init__(
        self, installation: Installation, addresses: Mapping[str, str], logs: Path
    ) -> None:
        self.installation = installation
        self.ports = {service: free_port() for service in _PORTS}
        self._addresses = addresses
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, service: str) -> dict[str, str]:
        """Return what a container is given."""
        given = read_environment(*environment_files(SERVICES[service]))
        for name, value in given.items():
            for theirs, ours in self._addresses.items():
                given[name] = given[name].replace(theirs, ours)
            assert not any(theirs in given[name] for theirs in self._addresses), value
        ports = {f"{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        return {**given, **aws_environment(), **ports}

    def run(self, service: str) -> subprocess.CompletedProcess[str]:
        """Run a service that ends by itself."""
        described = SERVICES[service]
        command = [*described.get("entrypoint", ["socorro"]), *described["command"]]
        return self.installation.run(command, self.environment(service))

    def start(self, service: str) -> None:
        """Start a service that stays."""
        self._processes[service] = self.installation.start(
            ["socorro", *SERVICES[service]["command"]], self.environment(service), self.log(service)
        )

    def is_healthy(self, service: str) -> bool:
        """Run the health check of a service."""
        kind, *command = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        if service in _PORTS:
            theirs, ours = f"127.0.0.1:{_PORTS[service]}/", f"127.0.0.1:{self.ports[service]}/"
            assert theirs in command[-1]
            command[-1] = command[-1].replace(theirs, ours)
        return self.installation.run(command, self.environment(service)).returncode == 0

    def stop(self, service: str) -> int:
        """Stop a service as Docker does; return its exit code. Raises TimeoutExpired."""
        process = self._processes[service]
        process.send_signal(signal.SIGTERM)
        return process.wait(seconds(SERVICES[service]["stop_grace_period"]))

    def log(self, service: str) -> Path:
        """Return the file that a service logs to."""
        return self._logs / f"{service}.log"

    def close(self) -> None:
        """End what still runs."""
        for process in self._processes.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def rehearsal(
    installation: Installation,
    s3_server: S3Server,
    sqs_server: SqsServer,
    postgres_server: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Rehearsal]:
    """Everything set up, started and healthy."""
    installation.make_data_folder()
    addresses = {
        "http://s3:80": s3_server.endpoint,
        "http://sqs:9324": sqs_server.endpoint,
        "postgres://socorro:development-only@postgresql:5432/socorro": (
            postgres_server.create_database()
        ),
    }
    rehearsed = Rehearsal(installation, addresses, tmp_path_factory.mktemp("rehearsal"))
    for _ in ("the first `up`", "a later one"):
        done = rehearsed.run("setup")
        assert done.returncode == 0, done.stderr
    try:
        for service in _LONG_LIVED:
            rehearsed.start(service)
        for service in _LONG_LIVED:
            wait_until(service, partial(rehearsed.is_healthy, service), _START_SECONDS)
        yield rehearsed
    finally:
        rehearsed.close()


def test_a_crash_goes_all_the_way(rehearsal: Rehearsal) -> None:
    here = {"COLLECTOR_HOST": "127.0.0.1", "WEBAPP_HOST": "127.0.0.1"}
    demo = rehearsal.installation.run(
        ["socorro", "demo", "--no-start"], {**rehearsal.environment("processor"), **here}
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr


def test_crash_stats_answers_to_the_name_that_containers_ask_by(rehearsal: Rehearsal) -> None:
    address = f"http://127.0.0.1:{rehearsal.ports['webapp']}/"
    assert requests.get(address, headers={"Host": "webapp:8001"}, timeout=30).status_code == 200
    assert requests.get(address, headers={"Host": "elsewhere"}, timeout=30).status_code == 400


def test_the_collector_says_which_build_it_is(rehearsal: Rehearsal) -> None:
    address = f"http://127.0.0.1:{rehearsal.ports['collector']}/__version__"
    assert requests.get(address, timeout=30).json()["commit"] == BUILD_ARGUMENTS["COMMIT"]


@pytest.mark.parametrize("service", _LONG_LIVED)
def test_a_service_ends_in_time_and_is_then_not_healthy(rehearsal: Rehearsal, service: str) -> None:
    assert rehearsal.stop(service) == 0, rehearsal.log(service).read_text()[-2000:]
    if service in _PORTS:
        assert not rehearsal.is_healthy(service)
