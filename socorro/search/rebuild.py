# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fills the search index from the processed crashes in storage."""

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from socorro.fields import search_document
from socorro.reprocessing.pace import Pace
from socorro.search.base import SearchIndex
from socorro.storage.base import CrashNotFound, CrashStorage, StorageError, StorageUnavailable

logger = logging.getLogger(__name__)

# The index takes what is accepted in the order of acceptance: a fresh crash waits for no more than
# these, about what the embedded engine takes at once.
_MOST_PENDING = 2000
_CHUNK = 100
# Loading from S3 is waiting.
_THREADS = 4
_WAIT_SECONDS = 0.2
# Documents are taken in their order, so ours are indexed well before that, whatever still comes in.
_SETTLE_SECONDS = 30.0


class _Outcome(Enum):
    INDEXED = auto()
    UNPROCESSED = auto()
    DAMAGED = auto()


@dataclass(frozen=True)
class Rebuilt:
    """How many crashes went into the index, and why others did not: without a processed crash,
    with one that cannot be read, or there already."""

    indexed: int = 0
    unprocessed: int = 0
    damaged: int = 0
    present: int = 0

    def __add__(self, other: "Rebuilt") -> "Rebuilt":
        return Rebuilt(
            self.indexed + other.indexed,
            self.unprocessed + other.unprocessed,
            self.damaged + other.damaged,
            self.present + other.present,
        )


def rebuild(
    crash_ids: Iterable[str],
    processed_storage: CrashStorage,
    index: SearchIndex,
    *,
    missing_only: bool = False,
    pace: Pace | None = None,
    progress: Callable[[list[str], Rebuilt], None] | None = None,
) -> Rebuilt:
    """Put the processed crashes of these ids into the index; each replaces what is there.

    Searches and processing go on meanwhile, and a running server may do the indexing; a crash that
    is processed just then has its newest result in the index in the end. With `missing_only`
    crashes that the index has are left alone. `progress` is called with ids that are done and the
    sums so far. Returns when everything is searchable, as far as can be told while others index
    too. Raises StorageUnavailable and SearchUnavailable; starting again does no harm.
    """
    sums = Rebuilt()
    pace = pace or Pace()
    iterator = iter(crash_ids)
    with _indexing(index), ThreadPoolExecutor(_THREADS) as threads:
        while chunk := list(islice(iterator, pace.batch(_CHUNK))):
            pace.wait(len(chunk))
            _wait(index, _MOST_PENDING)
            present = index.containing(chunk) if missing_only else frozenset()
            wanted = [crash_id for crash_id in chunk if crash_id not in present]
            outcomes = threads.map(lambda one: _put(processed_storage, index, one), wanted)
            sums += _sum(list(outcomes), len(present))
            if progress:
                progress(chunk, sums)
        _wait(index, 0, _SETTLE_SECONDS)
    return sums


def _sum(outcomes: Collection[_Outcome], present: int) -> Rebuilt:
    count = list(outcomes).count
    return Rebuilt(
        count(_Outcome.INDEXED), count(_Outcome.UNPROCESSED), count(_Outcome.DAMAGED), present
    )


def _put(storage: CrashStorage, index: SearchIndex, crash_id: str) -> _Outcome:
    """Put what is stored now into the index.

    A processor saves and then indexes. What it saved after we had loaded may be in the index
    before our older document, so we look again: what is saved after that is indexed after ours.
    """
    indexed = None
    try:
        while (processed := storage.load_processed_crash(crash_id)) != indexed:
            # The id in storage is the truth, whatever a stored crash says of itself.
            index.put(search_document(processed) | {"uuid": crash_id})
            indexed = processed
    except StorageUnavailable:
        raise
    except CrashNotFound:
        if indexed is not None:  # deleted meanwhile
            index.delete(crash_id)
        return _Outcome.UNPROCESSED
    except (StorageError, ValueError) as error:
        logger.warning("%s cannot be indexed: %s", crash_id, error)
        return _Outcome.DAMAGED
    return _Outcome.INDEXED


def _wait(index: SearchIndex, most: int, seconds: float = math.inf) -> None:
    deadline = time.monotonic() + seconds
    while index.pending() > most and time.monotonic() < deadline:
        time.sleep(_WAIT_SECONDS)


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
