# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The interface of a search engine and its errors."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from socorro.search.query import Query
from socorro.search.result import SearchResult


class SearchUnavailable(Exception):
    """The index cannot be read or written now; trying again later may help."""


class SearchIndex(Protocol):
    """An index of processed crashes. All methods are safe in many threads and processes.

    Every method raises SearchUnavailable when the engine does not answer.
    """

    def put(self, document: Mapping[str, Any]) -> None:
        """Add a search document, replacing an older one of the same ``uuid``.

        Takes what `socorro.fields` makes of a processed crash. Survives a killed process when it
        returns; a search sees it within about a second. Raises ValueError for a document without
        ``uuid`` and for one that is not JSON.
        """
        ...

    def delete(self, crash_id: str) -> None:
        """Remove a crash; nothing happens when it is not there."""
        ...

    def search(self, query: Query) -> SearchResult:
        """Answer a query. Raises QueryError for a query that the engine refuses."""
        ...

    def containing(self, crash_ids: Collection[str]) -> frozenset[str]:
        """Return those of the ids that are indexed or on their way into the index."""
        ...

    def pending(self) -> int:
        """Return how many changes are accepted and not searchable yet, as far as is known."""
        ...

    def run_indexer(self, stopping: "Event") -> None:
        """Do the engine's background work until `stopping` is set; returns at once if it has none.

        Many processes may call it: they elect one, and another takes over when that one dies.
        """
        ...

    @property
    def engine(self) -> str:
        """Which engine this is, and where, in one line for people."""
        ...

    def provision(self) -> None:
        """Make what the index needs unless it is there. Raises SearchUnavailable."""
        ...

    def verify(self) -> None:
        """Check that the index can be written and read. Raises SearchUnavailable."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


class Event(Protocol):
    """The part of threading.Event that background work looks at."""

    def is_set(self) -> bool:
        """Say whether to stop."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until set, at most `timeout` seconds."""
        ...
