# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A process that takes reports when it is told to, and whose system calls are tampered with."""

import contextlib
import logging
import multiprocessing
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from collector.app import create_app
from collector.saving.unpublished import Unpublished
from socorro.queue import open_queue
from socorro.settings import Settings, load
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Answer, Call, call
from tests.faults.made_reports import body_of, tokens_of

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.taker"])


@dataclass(frozen=True)
class Place:
    """The folders of one collector, and what must hold in them."""

    folder: Path
    with_fallback: bool

    @property
    def settings(self) -> Settings:
        """Settings of the collector."""
        return replace(
            load(),
            data=self.folder,
            crash_storage=f"fs://{self.folder}/crashes",
            fallback_storage=f"fs://{self.folder}/fallback" if self.with_fallback else "",
            crash_queue=f"local://{self.folder}/queue",
            unpublished=self.folder / "unpublished",
            min_free_disk=0,
        )

    @property
    def storages(self) -> list[FilesystemStorage]:
        """The main storage, and the fallback if there is one."""
        names = ["crashes", "fallback"] if self.with_fallback else ["crashes"]
        return [FilesystemStorage(self.folder / name) for name in names]

    def visible(self) -> set[str]:
        """Return the ids of all reports that a reader can see; fail if one is not complete."""
        return set(tokens_of(self.storages, self.folder))

    def published(self, crash_id: str) -> bool:
        """Whether an id is in the queue, or kept for it, or its report waits to be moved home."""
        queue = open_queue(self.settings.crash_queue, lease_seconds=60)
        try:
            if queue.holding([crash_id]):
                return True
        finally:
            queue.close()
        away = self.with_fallback and self.storages[1].has_raw_crash(crash_id)
        return away or crash_id in Unpublished(self.settings.unpublished).some(1000)


class Taker:
    """The process; `first` is a report that it took before anybody tampered with it."""

    def __init__(self, place: Place) -> None:
        self._pipe, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_take, args=(theirs, place), daemon=True)
        self._process.start()
        theirs.close()
        self.first = self._answer()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def take(self) -> Answer | None:
        """Have it take a report; None if that ended it."""
        try:
            self._pipe.send(True)
            return self._answer()
        except (EOFError, ConnectionError):
            return None

    def end(self) -> None:
        """End it."""
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def _answer(self) -> Answer:
        answer = self._pipe.recv()
        assert isinstance(answer, Answer)
        return answer


@contextmanager
def taker(place: Place) -> Iterator[Taker]:
    """Run such a process."""
    running = Taker(place)
    try:
        yield running
    finally:
        running.end()


def _take(pipe: Connection, place: Place) -> None:
    logging.disable()
    app = create_app(place.settings)
    while True:
        answer = call(app, Call(body_of(secrets.token_hex(8))))
        pipe.send(Answer(answer.status, dict(answer.headers), answer.body))
        with contextlib.suppress(EOFError):
            pipe.recv()
            continue
        os._exit(0)
