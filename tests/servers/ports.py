# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Ports that stay free while a server is down."""

import random
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 15_000
_FIRST_OF_CLIENTS = 32_768


def free_port() -> int:
    """Return a loopback port that nothing listens on, outside of those that clients are given.

    The kernel gives its clients' ports to whoever connects, even while a server that had one is
    down: then the server cannot come back, or a client that tries to reach it meets itself.
    """
    for _ in range(200):
        port = random.randrange(_LOWEST, _first_of_clients())
        if _is_free(port):
            return port
    raise OSError(f"no free port from {_LOWEST} to {_first_of_clients()}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _first_of_clients() -> int:
    try:
        first = int(_RANGE.read_text().split()[0])
    except OSError:
        return _FIRST_OF_CLIENTS
    return first if first > _LOWEST + 1000 else _FIRST_OF_CLIENTS
