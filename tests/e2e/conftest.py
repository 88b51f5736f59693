# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Servers for the end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server import Server


@pytest.fixture(scope="session")
def shared_server(
    tmp_path_factory: pytest.TempPathFactory, stackwalker_binary: Path
) -> Iterator[Server]:
    """A running server that tests share, each with crashes of its own."""
    server = Server(tmp_path_factory.mktemp("shared") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(tmp_path: Path, stackwalker_binary: Path) -> Iterator[Server]:
    """A server of this test's own, not yet started."""
    own = Server(tmp_path / "data")
    yield own
    own.kill_everything()
