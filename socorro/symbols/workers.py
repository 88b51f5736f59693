# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The threads that ask one symbol server: so slow a server holds up its own questions only."""

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from socorro.metrics import METRICS
from socorro.symbol_server import SymbolServer
from socorro.symbols.breaker import Breaker
from socorro.symbols.cache import SymbolCache
from socorro.symbols.connection import Connection
from socorro.symbols.download import Downloads
from socorro.symbols.outcome import FetchError, Limits, Missing, Outcome, Why

logger = logging.getLogger(__name__)

_Then = Callable[[Outcome], None]
_FAILURES = (Why.SERVER_ERROR, Why.TOO_SLOW)


class Workers:
    """Gets files of one server, so many at once as the limits say, in daemon threads.

    They are daemons since a download must not keep a process alive that is to stop.
    """

    def __init__(self, server: SymbolServer, cache: SymbolCache, limits: Limits) -> None:
        self.server = server
        self._cache = cache
        self._limits = limits
        self._breaker = Breaker(cache.pause_file(server), server.address)
        self._downloads = Downloads(server, cache, max_bytes=limits.max_bytes)
        self._jobs: queue.SimpleQueue[tuple[str, _Then] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def known_reason(self, relative: str) -> Why | None:
        """Return why there is no need to ask for a file; None if there is."""
        why = self._cache.reason(self.server, relative)
        if why is None and self._breaker.is_open():
            return Why.SERVER_ERROR
        return why

    def put(self, relative: str, then: _Then) -> None:
        """Get a file, and call `then` with it, or with the reason for none, in another thread."""
        self._jobs.put((relative, then))
        with self._lock:
            if self._jobs.qsize() <= self._idle or self._threads == self._limits.at_once:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="symbols", daemon=True).start()

    def close(self) -> None:
        """End the threads after what they have been given."""
        for _ in range(self._limits.at_once):
            self._jobs.put(None)

    def _work(self) -> None:
        connection = Connection(self.server, self._limits.seconds)
        while (job := self._next_job()) is not None:
            relative, then = job
            then(self._outcome(connection, relative))
        connection.close()

    def _next_job(self) -> tuple[str, _Then] | None:
        with self._lock:
            self._idle += 1
        try:
            return self._jobs.get()
        finally:
            with self._lock:
                self._idle -= 1

    def _outcome(self, connection: Connection, relative: str) -> Outcome:
        try:
            # Another process may be at it; it is done within its time.
            with self._cache.lock(self.server, relative, self._limits.seconds):
                return self._got(connection, relative)
        except TimeoutError:
            return Missing(Why.TOO_SLOW)
        except OSError as error:
            logger.warning("the cache of symbols cannot be used: %s", error.strerror)
            return Missing(Why.UNREADABLE)

    def _got(self, connection: Connection, relative: str) -> Outcome:
        found = self._cache.find(self.server, relative)
        if found is not None:
            return found
        why = self.known_reason(relative)
        if why is not None:
            return Missing(why)
        with METRICS.timer("processor.symbols.download.time"):
            outcome = self._downloaded(connection, relative)
        result = outcome.why.value if isinstance(outcome, Missing) else "found"
        METRICS.incr("processor.symbols.download", tags=[f"outcome:{result}"])
        return outcome

    def _downloaded(self, connection: Connection, relative: str) -> Path | Missing:
        try:
            path = self._downloads.get(connection, relative)
        except FetchError as error:
            if error.why in _FAILURES:
                self._breaker.failed(error.retry_after)
            else:
                self._breaker.succeeded()
            if error.why != Why.UNREADABLE:
                self._cache.remember(self.server, relative, error.why)
            return Missing(error.why)
        self._breaker.succeeded()
        return path
