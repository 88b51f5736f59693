# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Several selectors that wait for one listener."""

import queue
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from collector.serving.fair_selector import FairSelector

_SECONDS = 30.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def connect(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), _SECONDS)


def registered(listener: socket.socket, stack: ExitStack) -> FairSelector:
    selector = stack.enter_context(FairSelector())
    selector.register(listener, selectors.EVENT_READ)
    selector.requeue(listener)
    return selector


def test_few_are_woken_for_nothing_and_all_have_their_turn(listener: socket.socket) -> None:
    served: queue.Queue[int] = queue.Queue()
    for_nothing: queue.Queue[int] = queue.Queue()
    stop = threading.Event()

    def serve(number: int, selector: FairSelector) -> None:
        while not stop.is_set():
            for _ in selector.select(0.05):
                try:
                    listener.accept()[0].close()
                except BlockingIOError:
                    for_nothing.put(number)
                else:
                    served.put(number)
                selector.requeue(listener)

    connections = 60
    with ExitStack() as stack:
        threads = [
            threading.Thread(target=serve, args=(number, registered(listener, stack)))
            for number in range(3)
        ]
        for thread in threads:
            thread.start()
        shares = Counter[int]()
        for _ in range(connections):
            connect(listener).close()
            shares[served.get(timeout=_SECONDS)] += 1
        stop.set()
        for thread in threads:
            thread.join(_SECONDS)
    assert min(shares[number] for number in range(3)) >= connections // 12
    # All three of them each time would be twice as many as there are connections.
    assert for_nothing.qsize() < connections


def test_one_that_is_woken_and_gone_keeps_nobody_waiting(listener: socket.socket) -> None:
    with ExitStack() as stack:
        gone, other = registered(listener, stack), registered(listener, stack)
        with connect(listener):
            assert gone.select(_SECONDS)
            gone.close()
            other.requeue(listener)
            assert other.select(_SECONDS)
