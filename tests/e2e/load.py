# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Clients that send one report after the other and remember what they were told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from socorro.packaged import SAMPLES
from tests.e2e.server import Installation

DUMPS = sorted((SAMPLES / "crashes" / "dumps").glob("*.dmp"))
_PAUSE_SECONDS = 0.05


class Load(threading.Thread):
    """One client; every fourth of its reports has a minidump.

    `acknowledged` holds crash ids, `refused` the answers that were no crash id; `unanswered` counts
    connections that broke.
    """

    def __init__(self, installation: Installation, number: int, pause: float = 0.0) -> None:
        super().__init__(name=f"load {number}")
        self._installation = installation
        self._number = number
        self._pause = pause
        self._stop_posting = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[requests.Response] = []
        self.unanswered = 0

    def run(self) -> None:
        count = 0
        while not self._stop_posting.wait(self._pause):
            count += 1
            dump = DUMPS[count % len(DUMPS)] if count % 4 == 0 else None
            annotations = {"ProductName": "LoadApp", "Version": f"{self._number}.{count}"}
            try:
                answer = self._installation.post(annotations, dump)
            except requests.RequestException:
                # Not acknowledged: the client keeps the report.
                self.unanswered += 1
                time.sleep(_PAUSE_SECONDS)
                continue
            if answer.status_code == 200 and answer.text.startswith("CrashID=bp-"):
                self.acknowledged.append(answer.text.strip().removeprefix("CrashID=bp-"))
            else:
                self.refused.append(answer)
                time.sleep(_PAUSE_SECONDS)

    def stop(self) -> list[str]:
        self._stop_posting.set()
        self.join()
        return self.acknowledged


@contextmanager
def under_load(
    installation: Installation, clients: int = 3, pause: float = 0.0
) -> Iterator[list[Load]]:
    """Send reports during the block."""
    load = [Load(installation, number, pause) for number in range(clients)]
    for client in load:
        client.start()
    try:
        yield load
    finally:
        for client in load:
            client.stop()
