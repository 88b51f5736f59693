# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fills the search index from the processed crashes in storage."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from socorro.fields import search_document
from socorro.search.base import SearchIndex
from socorro.storage.base import CrashNotFound, CrashStorage

DEFAULT_DAYS = 180
# The index takes what is accepted at its own speed; the difference waits on disk.
_MOST_PENDING = 20_000
_CHECK_EVERY = 500
_WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class Rebuilt:
    """How many crashes went into the index, and how many have no processed crash yet."""

    indexed: int
    unprocessed: int


def last_days(number: int = DEFAULT_DAYS, today: date | None = None) -> list[date]:
    """Return today and the days before it, the newest first."""
    newest = today or datetime.now(UTC).date()
    return [newest - timedelta(days=back) for back in range(number)]


def rebuild(
    raw_storage: CrashStorage,
    processed_storage: CrashStorage,
    index: SearchIndex,
    days: Iterable[date],
    progress: Callable[[date, Rebuilt], None] | None = None,
) -> Rebuilt:
    """Put every processed crash of these days into the index; it replaces what is there.

    Searches go on meanwhile, and a running server may do the indexing. Returns when everything is
    searchable. `progress` is called after each day with the sums so far. Raises StorageUnavailable
    and SearchUnavailable; starting again repeats no harm.
    """
    sums = Rebuilt(0, 0)
    with _indexing(index):
        for day in days:
            for crash_id in raw_storage.list_raw_crashes(day):
                sums = _put(processed_storage, index, crash_id, sums)
            if progress:
                progress(day, sums)
        _wait(index, 0)
    return sums


def _put(storage: CrashStorage, index: SearchIndex, crash_id: str, sums: Rebuilt) -> Rebuilt:
    try:
        processed = storage.load_processed_crash(crash_id)
    except CrashNotFound:
        return Rebuilt(sums.indexed, sums.unprocessed + 1)
    # The id in storage is the truth, whatever a stored crash says of itself.
    index.put(search_document(processed) | {"uuid": crash_id})
    if sums.indexed % _CHECK_EVERY == 0:
        _wait(index, _MOST_PENDING)
    return Rebuilt(sums.indexed + 1, sums.unprocessed)


def _wait(index: SearchIndex, most: int) -> None:
    while index.pending() > most:
        threading.Event().wait(_WAIT_SECONDS)


@contextmanager
def _indexing(index: SearchIndex) -> Iterator[None]:
    """Run the engine's background work; where a server does it already, this stands by."""
    stopping = threading.Event()
    thread = threading.Thread(target=index.run_indexer, args=(stopping,), name="indexer")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
