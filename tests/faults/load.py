# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Clients that send reports to a collector all the time, and what must be stored of them."""

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from socorro.storage import CrashStorage
from tests.collector.made_requests import Answer
from tests.collector.raw_http import CollectorServer, submit_request
from tests.contract.processes import wait_until
from tests.faults.made_reports import body_of, tokens_of

_CLIENTS = 4
# As a client that was refused, or whose connection broke, does not come again at once.
_PAUSE_SECONDS = 0.05
# The mover's longest pause is 19 s.
_STILL_SECONDS = 60.0


@dataclass(frozen=True)
class Mark:
    """How much had happened at a moment."""

    acknowledged: int
    refused: int


class Clients:
    """Threads that send reports; what was acknowledged, refused, and not answered at all."""

    def __init__(self, server: CollectorServer, pause: float) -> None:
        self.tokens: dict[str, str] = {}
        self.refused: list[Answer] = []
        self.unanswered = 0
        self._server = server
        self._pause = pause
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(_CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def mark(self) -> Mark:
        """Note how much has happened."""
        return Mark(len(self.tokens), len(self.refused))

    def wait_for_more(self, count: int = 10) -> None:
        """Wait until some more reports are acknowledged."""
        before = len(self.tokens)
        wait_until(lambda: len(self.tokens) >= before + count, "more reports are acknowledged")

    def _run(self) -> None:
        while not self._stopped.wait(self._pause):
            token = secrets.token_hex(8)
            try:
                answer = self._server.send(submit_request(body_of(token)))
            except OSError:
                self.unanswered += 1
                time.sleep(_PAUSE_SECONDS)
                continue
            if answer.status == 200:
                self.tokens[answer.crash_id] = token
            else:
                self.refused.append(answer)
                time.sleep(_PAUSE_SECONDS)


@contextmanager
def under_load(server: CollectorServer, pause: float = 0.02) -> Iterator[Clients]:
    """Send reports while the block runs, and for a while before.

    Each of the clients waits `pause` seconds between two reports.
    """
    clients = Clients(server, pause)
    clients.start()
    try:
        clients.wait_for_more()
        yield clients
    finally:
        clients.stop()


def check_stored(
    clients: Clients, home: CrashStorage, others: Sequence[CrashStorage], folder: Path
) -> None:
    """Fail unless all that was acknowledged comes home as it was sent, and nothing is half."""
    tokens_of([home, *others], folder)
    _wait_for_all_to_come_home(others)
    stored = tokens_of([home], folder)
    lost = {
        crash_id: token
        for crash_id, token in clients.tokens.items()
        if stored.get(crash_id) != token
    }
    assert lost == {}


def _wait_for_all_to_come_home(others: Sequence[CrashStorage]) -> None:
    """Wait as long as there are fewer and fewer; after a minute of load there are thousands."""
    left = _count(others)
    patience = time.monotonic() + _STILL_SECONDS
    while left:
        assert time.monotonic() < patience, f"{left} reports do not come home"
        time.sleep(0.2)
        before, left = left, _count(others)
        if left < before:
            patience = time.monotonic() + _STILL_SECONDS


def _count(storages: Sequence[CrashStorage]) -> int:
    return sum(
        1
        for storage in storages
        for day in storage.list_days()
        for _ in storage.list_raw_crashes(day)
    )


def check_refusals(clients: Clients) -> None:
    """Fail unless whoever was refused was told to come again."""
    for answer in clients.refused:
        assert answer.status == 503
        assert answer.body in ("Discarded=storage_unavailable", "Discarded=overloaded")
        assert int(answer.headers["retry-after"]) > 0
