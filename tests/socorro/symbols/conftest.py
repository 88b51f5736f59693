# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A symbol server, and a cache for what it gives."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from socorro.symbol_server import parse_server
from socorro.symbols.cache import SymbolCache
from socorro.symbols.outcome import Limits
from socorro.symbols.servers import SymbolServers
from tests.symbol_server import Server, serving

MakeServers = Callable[..., SymbolServers]


@pytest.fixture
def server() -> Iterator[Server]:
    """A symbol server that has nothing."""
    with serving() as running:
        yield running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the cache."""
    return tmp_path / "cache"


@pytest.fixture
def make_servers(server: Server, root: Path) -> Iterator[MakeServers]:
    """Make clients of servers, by default of the one, as so many processes would have them."""
    made = []

    def make(
        *urls: str, cache_bytes: int = 2**30, missing_seconds: float = 3600, **limits: float
    ) -> SymbolServers:
        parsed = [parse_server(url) for url in urls or (server.url,)]
        cache = SymbolCache(root, max_bytes=cache_bytes, missing_seconds=missing_seconds)
        servers = SymbolServers(parsed, cache, Limits(**{"seconds": 20, **limits}))  # type: ignore[arg-type]
        made.append(servers)
        return servers

    yield make
    for servers in made:
        servers.close()
