# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A queue in SQS of each test's own."""

import secrets
from collections.abc import Iterator

import pytest

from socorro.queue import open_queue
from tests.servers import CountingProxy, SqsServer
from tests.socorro.queue.wire import Queues, Wire


@pytest.fixture
def prefix() -> str:
    """A prefix that no other test has."""
    return f"unit-{secrets.token_hex(6)}"


@pytest.fixture
def queues(prefix: str, sqs_server: SqsServer) -> Queues:
    """The queues of the prefix as others see them; none is there yet."""
    return Queues(sqs_server.client(), prefix)


@pytest.fixture
def bare(prefix: str, sqs_server: SqsServer) -> Iterator[Wire]:
    """A queue behind a proxy; nobody has made it yet."""
    with CountingProxy(sqs_server.endpoint) as proxy:
        queue = open_queue(f"sqs://{prefix}?endpoint={proxy.endpoint}", lease_seconds=60)
        yield Wire(queue, proxy)
        queue.close()


@pytest.fixture
def wire(bare: Wire, prefix: str, sqs_server: SqsServer) -> Wire:
    """The same, with the three queues and one for the dead letters of each."""
    sqs_server.create_queues(prefix)
    return bare


@pytest.fixture
def known(wire: Wire) -> Wire:
    """The same, with the addresses of the three queues looked up."""
    wire.queue.verify()
    wire.proxy.clear()
    return wire
