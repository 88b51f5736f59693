# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""No thread waits for ever for PostgreSQL, whatever it does."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, close_old_connections, connection
from django.db.backends.signals import connection_created
from django.test import Client
from psycopg2.extensions import set_wait_callback

from tests.databases import Engine, django_on
from tests.servers import PostgresServer
from webapp import limits
from webapp.limits import limit_statements

SECONDS = 0.5


@pytest.fixture
def limited(postgresql_engine: Engine, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process whose statements have limits, on a database of its own."""
    monkeypatch.setattr(limits, "_GRACE_SECONDS", 0.5)
    monkeypatch.setattr(limits, "_CONNECT_SECONDS", 0.5)
    with django_on(postgresql_engine.migrated()):
        limit_statements(SECONDS)
        yield
    set_wait_callback(None)
    connection_created.disconnect(dispatch_uid="socorro.limits")


@pytest.fixture
def hung(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """A server that may be made to hang, and goes on afterwards."""
    yield postgres_server
    postgres_server.resume()


@pytest.mark.usefixtures("limited")
def test_a_slow_statement_is_ended_by_the_server_and_the_connection_stays() -> None:
    with connection.cursor() as cursor:
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(60)")
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]


@pytest.mark.usefixtures("limited")
def test_the_server_is_told_how_long_to_wait_for_locks_and_for_a_client_in_a_transaction() -> None:
    with connection.cursor() as cursor:
        for name, value in {
            "lock_timeout": "3s",
            "idle_in_transaction_session_timeout": "1min",
        }.items():
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == (value,)


@pytest.mark.usefixtures("limited")
def test_a_server_that_hangs_is_given_up_and_used_again_when_it_goes_on(
    hung: PostgresServer,
) -> None:
    assert User.objects.count() == 0
    hung.pause()
    with pytest.raises(OperationalError, match="did not answer within 1 s"):
        User.objects.count()
    close_old_connections()
    with pytest.raises(OperationalError, match=r"did not answer within 0\.5 s"):
        connection.ensure_connection()
    hung.resume()
    assert User.objects.count() == 0


@pytest.mark.usefixtures("limited")
def test_health_checks_and_strangers_are_answered_while_the_server_hangs(
    hung: PostgresServer, client: Client
) -> None:
    hung.pause()
    assert client.get("/__heartbeat__").status_code == 503
    assert client.get("/").status_code == 200
    client.cookies["sessionid"] = "k" * 32
    assert client.get("/").status_code == 503
    hung.resume()
    assert client.get("/").status_code == 200
    assert client.get("/__heartbeat__").status_code == 200


@pytest.mark.django_db
def test_sqlite_has_no_such_limits() -> None:
    limit_statements(SECONDS)
    assert not connection_created.has_listeners(type(connection))
