# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What is accepted and not yet in the index, in an SQLite database.

Any process adds; the elected indexer takes in the order of acceptance, and removes what it took
once the index has it. Write-ahead logging with ``synchronous=NORMAL``: an accepted document
survives a killed process; a power cut may take the last ones, which the job that looks for
crashes without an index entry puts back.
"""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from socorro.search.base import SearchUnavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL,
    document BLOB
);
CREATE INDEX IF NOT EXISTS change_by_uuid ON change (uuid);
"""
_BUSY_SECONDS = 30.0
_IDS_PER_QUERY = 500
# Of several changes of one crash the last counts.
_STATE = """
SELECT uuid, document IS NOT NULL FROM change
WHERE id IN (SELECT max(id) FROM change WHERE uuid IN ({marks}) GROUP BY uuid)
"""


@dataclass(frozen=True)
class Change:
    """A document (JSON) to be put into the index, or None for a crash to be removed from it."""

    id: int
    uuid: str
    document: bytes | None


class Outbox:
    """The outbox in ``<folder>/outbox.db``. Every method raises SearchUnavailable."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "outbox.db"
        self._connections = threading.local()

    def add(self, changes: Sequence[tuple[str, bytes | None]]) -> None:
        """Accept changes: pairs of a crash id and a document (JSON), or None to remove it."""
        with self._errors(), self._transaction() as connection:
            connection.executemany("INSERT INTO change (uuid, document) VALUES (?, ?)", changes)

    def oldest(self, limit: int) -> list[Change]:
        """Return the oldest changes in the order of their acceptance."""
        with self._errors():
            rows = self._connection().execute(
                "SELECT id, uuid, document FROM change ORDER BY id LIMIT ?", (limit,)
            )
            return [Change(*row) for row in rows]

    def remove(self, last: Change) -> None:
        """Remove all changes up to this one.

        Ids are given under the database's write lock, so no change accepted later has a lower id.
        """
        with self._errors(), self._transaction() as connection:
            connection.execute("DELETE FROM change WHERE id <= ?", (last.id,))

    def count(self) -> int:
        """Return how many changes wait."""
        with self._errors():
            row = self._connection().execute("SELECT count(*) FROM change").fetchone()
            return int(row[0])

    def states(self, uuids: Collection[str]) -> dict[str, bool]:
        """Return which of these crashes wait: True to be put, False to be removed."""
        wanted = list(uuids)
        states: dict[str, bool] = {}
        with self._errors():
            for start in range(0, len(wanted), _IDS_PER_QUERY):
                batch = wanted[start : start + _IDS_PER_QUERY]
                query = _STATE.format(marks=",".join("?" * len(batch)))
                states.update(
                    (uuid, bool(put)) for uuid, put in self._connection().execute(query, batch)
                )
        return states

    def verify(self) -> None:
        """Check that a change can be written, without leaving one."""
        with self._errors():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("INSERT INTO change (uuid) VALUES ('')")
            finally:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close this thread's connection."""
        held = getattr(self._connections, "held", None)
        if held and held[0] == os.getpid():
            held[1].close()
        self._connections.held = None

    def _connection(self) -> sqlite3.Connection:
        # A connection must not be used by a forked child: each process has its own.
        held: tuple[int, sqlite3.Connection] | None = getattr(self._connections, "held", None)
        if held is None or held[0] != os.getpid():
            held = (os.getpid(), self._open())
            self._connections.held = held
        return held[1]

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        return connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SearchUnavailable(f"search outbox {self._path}: {error}") from error
