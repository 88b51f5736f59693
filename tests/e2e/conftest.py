# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The system in both of its modes: one machine, and a fleet on S3, SQS and PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet, made_fleet
from tests.e2e.server import Installation, Server
from tests.servers import PostgresServer, S3Server, SqsServer


@pytest.fixture(scope="session", params=["one-machine", "fleet"])
def installation(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    stackwalker_binary: Path,
) -> Iterator[Installation]:
    """A running system that tests share, each with crashes of its own."""
    if request.param == "fleet":
        yield request.getfixturevalue("shared_fleet")
        return
    server = Server(tmp_path_factory.mktemp("shared") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_fleet(
    tmp_path_factory: pytest.TempPathFactory,
    s3_server: S3Server,
    sqs_server: SqsServer,
    postgres_server: PostgresServer,
    stackwalker_binary: Path,
) -> Iterator[Fleet]:
    """A running fleet that tests share."""
    fleet = made_fleet(tmp_path_factory.mktemp("fleet"), s3_server, sqs_server, postgres_server)
    fleet.start()
    yield fleet
    codes = fleet.stop()
    assert set(codes.values()) == {0}, codes


@pytest.fixture
def server(tmp_path: Path, stackwalker_binary: Path) -> Iterator[Server]:
    """A server of this test's own, not yet started."""
    own = Server(tmp_path / "data")
    yield own
    own.kill_everything()
