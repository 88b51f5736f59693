# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Looks for symbols on servers: one after another, some at a time, and never for long."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from socorro.symbol_server import SymbolServer
from socorro.symbols.cache import SymbolCache, without_form
from socorro.symbols.outcome import Limits, Missing, Outcome, Why, weightiest
from socorro.symbols.workers import Workers

_MAX_NAME = 255


class _Search:
    """What is known of one file, from one server after another."""

    def __init__(self, relative: str) -> None:
        self.relative = relative
        self.since = time.monotonic()
        self.reasons: list[Why] = []
        self.future: Future[Outcome] = Future()


class SymbolServers:
    """Servers in their order, with a cache that many processes share. Safe for many threads."""

    def __init__(
        self, servers: Sequence[SymbolServer], cache: SymbolCache, limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._cache = cache
        self._workers = [Workers(server, cache, self.limits) for server in servers]
        self._lock = threading.Lock()
        self._running: dict[str, _Search] = {}

    @property
    def folders(self) -> list[Path]:
        """The cache's folders, one a server in their order."""
        return [self._cache.folder(workers.server) for workers in self._workers]

    def get(self, relative: str) -> "Future[Outcome]":
        """Return, at once, what will be the file at a relative path or the reason for none.

        The path has three plain names. A file that takes longer than a crash waits for it is told
        to be too slow to those who ask from then on, until it has come.
        """
        if not _is_harmless(relative):
            return _done(Missing(Why.NOT_FOUND))
        with self._lock:
            running = self._running.get(relative)
            if running is None:
                search = self._running[relative] = _Search(relative)
        if running is None:
            search.future.add_done_callback(lambda _: self._forget(relative))
            self._ask(search, self._workers)
            return search.future
        if time.monotonic() - running.since > self.limits.wait:
            return _done(Missing(Why.TOO_SLOW))
        return running.future

    def reject(self, path: Path) -> None:
        """Take out of the cache what turned out to be no symbols."""
        self._cache.reject(path)

    def url_of(self, path: Path) -> str | None:
        """Return where a file of the cache came from, without credentials and compression."""
        for workers in self._workers:
            folder = self._cache.folder(workers.server)
            if path.is_relative_to(folder):
                relative = without_form(path.relative_to(folder).as_posix())
                return workers.server.public_url(relative)
        return None

    def close(self) -> None:
        """Begin nothing more. What is under way ends by itself, or with the process."""
        for workers in self._workers:
            workers.close()

    def _ask(self, search: _Search, left: Sequence[Workers]) -> None:
        """Ask the first server that is not known to have nothing, then those behind it."""
        for number, workers in enumerate(left, 1):
            why = workers.known_reason(search.relative)
            if why is None:
                workers.put(search.relative, partial(self._got, search, left[number:]))
                return
            search.reasons.append(why)
        search.future.set_result(Missing(weightiest(search.reasons)))

    def _got(self, search: _Search, behind: Sequence[Workers], outcome: Outcome) -> None:
        if isinstance(outcome, Missing):
            search.reasons.append(outcome.why)
            self._ask(search, behind)
        else:
            search.future.set_result(outcome)

    def _forget(self, relative: str) -> None:
        with self._lock:
            self._running.pop(relative, None)


def _is_harmless(relative: str) -> bool:
    """Whether a path is three plain names: they come from a minidump, through a child."""
    parts = relative.split("/")
    return len(parts) == 3 and all(map(_is_plain_name, parts))


def _is_plain_name(name: str) -> bool:
    if name in ("", ".", "..") or "\\" in name or any(ord(letter) < 32 for letter in name):
        return False
    try:
        # Room for the ending of a compression.
        return len(name.encode()) <= _MAX_NAME - 4
    except UnicodeEncodeError:
        return False


def _done(outcome: Outcome) -> "Future[Outcome]":
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future
