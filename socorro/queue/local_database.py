# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The SQLite database of the local queue: its tables, and how it is opened."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A message is visible from `visible_at` on; a lease moves that into the future and sets `receipt`.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    crash_id TEXT NOT NULL,
    ruleset TEXT NOT NULL,
    visible_at REAL NOT NULL,
    receipt TEXT,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS message_by_visibility ON message (queue, visible_at, id);
CREATE INDEX IF NOT EXISTS message_by_crash_id ON message (crash_id);
CREATE INDEX IF NOT EXISTS message_by_receipt ON message (receipt) WHERE receipt IS NOT NULL;
CREATE TABLE IF NOT EXISTS dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    crash_id TEXT NOT NULL,
    ruleset TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    died_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS verified (id INTEGER PRIMARY KEY, at REAL NOT NULL);
"""
_VERSION = 1


def connect(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Open the database, made with its folder where it is missing.

    The caller sees to it that one thread uses the connection at a time. Raises sqlite3.Error and
    OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )
    try:
        # Turning the write-ahead log on does not wait for others as everything else does.
        with _alone(path.with_suffix(".lock")):
            connection.execute("PRAGMA journal_mode = WAL")
            _make_tables(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    elif version != _VERSION:
        raise sqlite3.DatabaseError(f"made by another version of this program ({version})")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
