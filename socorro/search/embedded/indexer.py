# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The one process that writes the index: it is elected by a file lock.

Whoever holds the lock takes changes from the outbox in batches, puts them into the index, commits,
and only then removes them from the outbox. Death in between repeats an idempotent replacement.
The kernel gives the lock free when its holder dies, and another indexer takes over.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tantivy

from socorro.metrics import METRICS
from socorro.search.base import Event, SearchUnavailable
from socorro.search.embedded.directory import HEAP_BYTES, IndexDirectory
from socorro.search.embedded.outbox import Change, Outbox
from socorro.search.embedded.schema import make_document

logger = logging.getLogger(__name__)

BATCH = 2000
_ELECTION_SECONDS = 0.5
_POLL_SECONDS = 0.2
# Between two commits, so that a stream of crashes does not make a segment each.
_COMMIT_SECONDS = 0.4
_ERROR_SECONDS = 5.0
# A writer keeps a buffer and threads, which an idle machine has better use for.
_IDLE_POLLS = 50


class Indexer:
    """Moves changes from the outbox into the index while it is elected."""

    def __init__(self, folder: Path, outbox: Outbox) -> None:
        self._lock_path = folder / "indexer.lock"
        self._directory = IndexDirectory(folder)
        self._outbox = outbox

    def run(self, stopping: Event) -> None:
        """Wait for the election and index until `stopping` is set; see SearchIndex.run_indexer."""
        while not stopping.is_set():
            try:
                with self._elected() as elected:
                    if elected:
                        self._index(stopping)
                stopping.wait(_ELECTION_SECONDS)
            except (SearchUnavailable, OSError, ValueError, RuntimeError):
                # tantivy raises ValueError for all that goes wrong on its disk.
                logger.exception("the search index cannot be written; trying again")
                stopping.wait(_ERROR_SECONDS)

    @contextmanager
    def _elected(self) -> Iterator[bool]:
        """Hold the lock if it is free. It goes with the process, however that ends."""
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)

    def _index(self, stopping: Event) -> None:
        index = self._directory.prepare(stopping)
        if index is None:
            return
        with _Writer(index) as writer:
            idle_polls = 0
            while not stopping.is_set():
                changes = self._outbox.oldest(BATCH)
                if changes:
                    writer.write(changes)
                    self._outbox.remove(changes[-1])
                    METRICS.incr("search.indexed", value=len(changes))
                    idle_polls = 0
                else:
                    idle_polls += 1
                    if idle_polls == _IDLE_POLLS:
                        writer.rest()
                if len(changes) < BATCH:
                    stopping.wait(_COMMIT_SECONDS if changes else _POLL_SECONDS)


class _Writer:
    """A tantivy writer that is opened when there is something to write."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._writer: tantivy.IndexWriter | None = None

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_error: object) -> None:
        self.rest()

    def write(self, changes: list[Change]) -> None:
        """Put changes into the index and commit them."""
        if self._writer is None:
            self._writer = self._index.writer(HEAP_BYTES, 1)
        newest = {change.uuid: change.document for change in changes}
        for uuid, source in newest.items():
            self._writer.delete_documents_by_term("uuid", uuid)
            if source is not None:
                self._writer.add_document(make_document(source))
        self._writer.commit()

    def rest(self) -> None:
        """Let merges end and give the writer's memory and threads free."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()
