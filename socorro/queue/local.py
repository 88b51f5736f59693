# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash queue in an SQLite database, for the processes of one machine.

Write-ahead logging with ``synchronous=NORMAL``: every commit survives a killed process; a power
cut may take the last ones, which the job that looks for missing crashes brings back from raw
storage. A claim is one immediate transaction, so that no two receivers get the same message.
"""

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from socorro.queue.base import (
    Message,
    QueueDepth,
    QueueMisconfigured,
    QueueName,
    QueueUnavailable,
    Task,
)
from socorro.queue.local_database import connect

# A message is visible from `visible_at` on; a lease moves that into the future and sets `receipt`.
_NEXT = """
SELECT id, crash_id, ruleset, attempts FROM message
WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?
"""
_LEASE = "UPDATE message SET visible_at = ?, receipt = ?, attempts = attempts + 1 WHERE id = ?"
_PUBLISH = """
INSERT INTO message (queue, crash_id, ruleset, visible_at)
SELECT :queue, :crash_id, :ruleset, :now
WHERE NOT EXISTS (
    SELECT 1 FROM message
    WHERE crash_id = :crash_id AND queue = :queue AND ruleset = :ruleset
    AND (receipt IS NULL OR visible_at <= :now)
)
"""
_DEPTH = """
SELECT queue,
       sum(visible_at <= :now), sum(visible_at > :now AND receipt IS NOT NULL),
       sum(visible_at > :now AND receipt IS NULL)
FROM message GROUP BY queue
"""
_POLL_SECONDS = 0.1
# A transaction takes milliseconds; a lock that lasts longer than this means trouble.
_BUSY_SECONDS = 10.0
_IDS_PER_QUERY = 500


class LocalQueue:
    """`CrashQueue` in ``<folder>/queue.db``."""

    def __init__(self, folder: str | Path, *, lease_seconds: float) -> None:
        self._path = Path(folder).absolute() / "queue.db"
        self._lease = lease_seconds
        self._handle = _Handle()

    @property
    def engine(self) -> str:
        """See `CrashQueue.engine`."""
        return f"SQLite in {self._path.parent}"

    @property
    def opaque(self) -> bool:
        """See `CrashQueue.opaque`."""
        return False

    def publish(self, queue: QueueName, tasks: Sequence[Task]) -> None:
        """See `CrashQueue.publish`."""
        now = time.time()
        rows = [
            {"queue": queue, "crash_id": task.crash_id, "ruleset": task.ruleset, "now": now}
            for task in tasks
        ]
        if len(rows) == 1:
            # One statement is a transaction by itself, and the collector's case.
            with self._connection() as connection:
                connection.execute(_PUBLISH, rows[0])
            return
        with self._transaction() as connection:
            connection.executemany(_PUBLISH, rows)

    def receive(
        self, limit: int, *, wait: float, queues: Sequence[QueueName] = tuple(QueueName)
    ) -> list[Message]:
        """See `CrashQueue.receive`."""
        deadline = time.monotonic() + wait
        while True:
            messages = self._claim(limit, queues) if self._something_waits(queues) else []
            remaining = deadline - time.monotonic()
            if messages or remaining <= 0:
                return messages
            time.sleep(min(_POLL_SECONDS, remaining))

    def extend(self, message: Message) -> bool:
        """See `CrashQueue.extend`."""
        return self._settle(
            "UPDATE message SET visible_at = ? WHERE receipt = ?",
            (time.time() + self._lease, message.receipt),
        )

    def acknowledge(self, message: Message) -> bool:
        """See `CrashQueue.acknowledge`."""
        return self._settle("DELETE FROM message WHERE receipt = ?", (message.receipt,))

    def release(self, message: Message, *, delay: float = 0, attempted: bool = False) -> bool:
        """See `CrashQueue.release`."""
        return self._settle(
            "UPDATE message SET visible_at = ?, receipt = NULL, attempts = attempts - ?"
            " WHERE receipt = ?",
            (time.time() + delay, 0 if attempted else 1, message.receipt),
        )

    def bury(self, message: Message, reason: str) -> bool:
        """See `CrashQueue.bury`."""
        with self._transaction() as connection:
            buried = connection.execute(
                "INSERT INTO dead_letter (queue, crash_id, ruleset, attempts, reason, died_at)"
                " SELECT queue, crash_id, ruleset, attempts, ?, ? FROM message WHERE receipt = ?",
                (reason[:1000], time.time(), message.receipt),
            ).rowcount
            connection.execute("DELETE FROM message WHERE receipt = ?", (message.receipt,))
        return buried > 0

    def holding(self, crash_ids: Collection[str]) -> frozenset[str]:
        """See `CrashQueue.holding`."""
        wanted = list(crash_ids)
        found: set[str] = set()
        with self._connection() as connection:
            for start in range(0, len(wanted), _IDS_PER_QUERY):
                batch = wanted[start : start + _IDS_PER_QUERY]
                marks = ",".join("?" * len(batch))
                rows = connection.execute(
                    f"SELECT crash_id FROM message WHERE crash_id IN ({marks})",  # noqa: S608
                    batch,
                )
                found.update(row[0] for row in rows)
        return frozenset(found)

    def depth(self) -> dict[QueueName, QueueDepth]:
        """See `CrashQueue.depth`."""
        with self._connection() as connection:
            rows = connection.execute(_DEPTH, {"now": time.time()}).fetchall()
            dead = dict(
                connection.execute("SELECT queue, count(*) FROM dead_letter GROUP BY queue")
            )
        counts = {name: (ready, leased, delayed) for name, ready, leased, delayed in rows}
        depths = {}
        for name in QueueName:
            ready, leased, delayed = counts.get(name, (0, 0, 0))
            depths[name] = QueueDepth(ready, leased, delayed, dead.get(name, 0))
        return depths

    def verify(self) -> None:
        """See `CrashQueue.verify`: makes the folder and the tables where they are missing."""
        with self._transaction() as connection:
            # A row of its own: a change that changes nothing would not be written.
            connection.execute("INSERT OR REPLACE INTO verified VALUES (1, ?)", (time.time(),))

    def provision(self) -> None:
        """See `CrashQueue.provision`: opening the database makes what is missing."""
        with self._connection():
            pass

    def close(self) -> None:
        """See `CrashQueue.close`; another call opens the database again."""
        handle = self._handle_of_this_process()
        with handle.lock:
            handle.disconnect()

    def _something_waits(self, queues: Sequence[QueueName]) -> bool:
        """Look without a write lock, so that idle receivers do not stand in a publisher's way."""
        marks = ",".join("?" * len(queues))
        query = f"SELECT 1 FROM message WHERE queue IN ({marks}) AND visible_at <= ? LIMIT 1"  # noqa: S608
        with self._connection() as connection:
            row = connection.execute(query, (*queues, time.time())).fetchone()
        return row is not None

    def _claim(self, limit: int, queues: Sequence[QueueName]) -> list[Message]:
        messages: list[Message] = []
        with self._transaction() as connection:
            for queue in queues:
                messages += self._claim_from(connection, queue, limit - len(messages))
        return messages

    def _claim_from(
        self, connection: sqlite3.Connection, queue: QueueName, limit: int
    ) -> list[Message]:
        if limit <= 0:
            return []
        now = time.time()
        batch = uuid.uuid4().hex
        rows = connection.execute(_NEXT, (queue, now, limit)).fetchall()
        connection.executemany(
            _LEASE, [(now + self._lease, f"{batch}-{row_id}", row_id) for row_id, *_ in rows]
        )
        return [
            Message(Task(crash_id, ruleset), queue, attempts + 1, f"{batch}-{row_id}")
            for row_id, crash_id, ruleset, attempts in rows
        ]

    def _settle(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._transaction() as connection:
            return connection.execute(statement, values).rowcount > 0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to one thread at a time; SQLite lets one write at a time anyway."""
        handle = self._handle_of_this_process()
        if not handle.lock.acquire(timeout=_BUSY_SECONDS):
            raise QueueUnavailable(f"local queue {self._path}: locked for {_BUSY_SECONDS:g} s")
        try:
            if handle.connection is None:
                handle.connection = connect(self._path, busy_seconds=_BUSY_SECONDS)
            yield handle.connection
        except (sqlite3.Error, OSError) as error:
            # Whatever broke (a disk, a file that was removed), the next call opens it anew.
            handle.disconnect()
            misplaced = isinstance(error, NotADirectoryError | FileExistsError)
            kind = QueueMisconfigured if misplaced else QueueUnavailable
            raise kind(f"local queue {self._path}: {error}") from error
        finally:
            handle.lock.release()

    def _handle_of_this_process(self) -> "_Handle":
        handle = self._handle
        if handle.pid != os.getpid():
            # SQLite's connections must not cross a fork, not even to be closed; so the parent's is
            # kept unused.
            _INHERITED.append(handle)
            handle = self._handle = _Handle()
        return handle


class _Handle:
    """The connection of one process and the lock of its threads."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None

    def disconnect(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


_INHERITED: list[_Handle] = []
