# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`SearchIndex` in a folder of this machine."""

import os
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import tantivy

from socorro.search.base import Event, SearchUnavailable
from socorro.search.embedded.answer import answer
from socorro.search.embedded.directory import IndexDirectory
from socorro.search.embedded.indexer import Indexer
from socorro.search.embedded.outbox import Outbox
from socorro.search.embedded.schema import build_schema
from socorro.search.query import Query
from socorro.search.result import SearchResult

_UUIDS_PER_QUERY = 1000


class EmbeddedIndex:
    """A tantivy index behind an outbox in SQLite, shared by all processes of this machine."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).absolute()
        self._outbox = Outbox(self._folder)
        self._schema = build_schema()
        self._reader = _Reader(IndexDirectory(self._folder))

    def put(self, document: Mapping[str, Any]) -> None:
        """See `SearchIndex.put`."""
        self.put_all([document])

    def put_all(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Add many documents at once, or none of them."""
        self._outbox.add([(_uuid(document), _encoded(document)) for document in documents])

    def delete(self, crash_id: str) -> None:
        """See `SearchIndex.delete`."""
        self._outbox.add([(crash_id, None)])

    def search(self, query: Query) -> SearchResult:
        """See `SearchIndex.search`."""
        return answer(self._reader.searcher(), self._schema, query)

    def containing(self, crash_ids: Collection[str]) -> frozenset[str]:
        """See `SearchIndex.containing`."""
        wanted = [crash_id for crash_id in set(crash_ids) if crash_id.isascii()]
        # The outbox first: what leaves it meanwhile is then found in the index.
        waiting = self._outbox.states(wanted)
        found = {crash_id for crash_id, put in waiting.items() if put}
        rest = [crash_id for crash_id in wanted if crash_id not in waiting]
        searcher = self._reader.searcher()
        for start in range(0, len(rest), _UUIDS_PER_QUERY):
            batch = rest[start : start + _UUIDS_PER_QUERY]
            query = tantivy.Query.term_set_query(self._schema, "uuid", batch)
            request = {"uuid": {"terms": {"field": "uuid", "size": len(batch)}}}
            buckets = searcher.aggregate(query, request)["uuid"]["buckets"]
            found.update(bucket["key"] for bucket in buckets)
        return frozenset(found)

    def pending(self) -> int:
        """See `SearchIndex.pending`."""
        return self._outbox.count()

    def run_indexer(self, stopping: Event) -> None:
        """See `SearchIndex.run_indexer`."""
        Indexer(self._folder, self._outbox).run(stopping)

    @property
    def engine(self) -> str:
        """See `SearchIndex.engine`."""
        return f"embedded index (tantivy) in {self._folder}"

    def provision(self) -> None:
        """See `SearchIndex.provision`: the check makes the folder and the outbox."""
        self.verify()

    def verify(self) -> None:
        """See `SearchIndex.verify`."""
        self._outbox.verify()
        self._reader.searcher()

    def close(self) -> None:
        """See `SearchIndex.close`."""
        self._outbox.close()
        self._reader.close()


def _uuid(document: Mapping[str, Any]) -> str:
    uuid = document.get("uuid")
    if not isinstance(uuid, str) or not uuid:
        raise ValueError("a search document needs a uuid")
    return uuid


def _encoded(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError as error:
        raise ValueError(f"a search document must be JSON: {error}") from error


class _Reader:
    """Opens the index once a process and gives searchers of its newest commit."""

    def __init__(self, directory: IndexDirectory) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._opened: tuple[int, tantivy.Index] | None = None
        self._empty: tantivy.Index | None = None

    def searcher(self) -> tantivy.Searcher:
        """Return a searcher; before anything was indexed, of an index without documents.

        Raises SearchUnavailable.
        """
        with self._lock:
            try:
                return self._newest()
            except (ValueError, OSError):
                # The folder was removed or made anew under a running process.
                self._opened = None
            try:
                return self._newest()
            except (ValueError, OSError) as error:
                raise SearchUnavailable(f"the search index cannot be read: {error}") from error

    def close(self) -> None:
        """Release the index's files."""
        with self._lock:
            self._opened = self._empty = None

    def _newest(self) -> tantivy.Searcher:
        # A forked child opens its own: threads of the parent's index are not in it.
        if self._opened is None or self._opened[0] != os.getpid():
            index = self._directory.open()
            if index is None:
                return self._empty_index().searcher()
            self._opened = (os.getpid(), index)
        index = self._opened[1]
        index.reload()
        return index.searcher()

    def _empty_index(self) -> tantivy.Index:
        if self._empty is None:
            self._empty = tantivy.Index(build_schema())
        return self._empty
