# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Time limits of PostgreSQL: no thread of a server waits for ever, whatever the database does.

The server is told how long a statement may take. A server that hangs (its disk stalls, its process
is stopped) does not keep to that while its machine still acknowledges what is sent, so that the
client looks at its own clock too.
"""

import select
import time
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# More than `tcp_user_timeout`: then a host name with several addresses is tried at a second one.
_CONNECT_SECONDS = 6.0
# What the client waits beyond the limit that the server was told.
_GRACE_SECONDS = 1.0
_LOCK_SECONDS = 3.0
_IDLE_IN_TRANSACTION_SECONDS = 60.0


def limit_statements(seconds: float) -> None:
    """Let no statement of this process take longer than `seconds`; it then raises OperationalError.

    For servers, before they open a connection. SQLite has no such limits and needs none.
    """
    if connection.vendor != "postgresql":
        return
    from psycopg2.extensions import set_wait_callback

    def tell_server(connection: BaseDatabaseWrapper, **_: Any) -> None:
        _tell_server(connection, seconds)

    connection_created.connect(tell_server, weak=False, dispatch_uid="socorro.limits")
    # psycopg2 calls this instead of waiting in C, where not even a signal would be noticed.
    set_wait_callback(lambda raw: _wait(raw, seconds + _GRACE_SECONDS))


def _tell_server(connection: BaseDatabaseWrapper, seconds: float) -> None:
    # Statements and not an option of the connection, which poolers such as PgBouncer refuse.
    limits = {
        "statement_timeout": seconds,
        "lock_timeout": _LOCK_SECONDS,
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_SECONDS,
    }
    sql = "; ".join(f"SET {name} = {limit * 1000:.0f}" for name, limit in limits.items())
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _wait(raw: Any, seconds: float) -> None:
    """Wait for what a connection of psycopg2 is doing. Raises psycopg2.OperationalError."""
    import psycopg2
    from psycopg2 import extensions

    limit = _CONNECT_SECONDS if raw.status == extensions.STATUS_SETUP else seconds
    deadline = time.monotonic() + limit
    while (state := raw.poll()) != extensions.POLL_OK:
        event = select.POLLIN if state == extensions.POLL_READ else select.POLLOUT
        poller = select.poll()
        poller.register(raw.fileno(), event)
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise psycopg2.OperationalError(f"the server did not answer within {limit:g} s")
