# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Both kinds of database for tests: a SQLite file and a real PostgreSQL.

pytest-django knows one database a session. Here the default connection of Django is exchanged for
the tests of a module, so that they run on both kinds, one after the other, in one session.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from socorro.settings import load
from tests.servers import PostgresServer
from webapp.database import django_database


class Engine(Protocol):
    """One kind of database."""

    def empty(self) -> str:
        """Return the DATABASE_URL of a new database without tables."""
        ...

    def migrated(self) -> str:
        """Return the DATABASE_URL of a new database with all tables and no crash, job or user."""
        ...


class SqliteEngine:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._template = self._new()
        _migrate(f"sqlite:///{self._template}")

    def empty(self) -> str:
        return f"sqlite:///{self._new()}"

    def migrated(self) -> str:
        return f"sqlite:///{shutil.copy(self._template, self._new())}"

    def _new(self) -> Path:
        self._count += 1
        return self._folder / f"{self._count}.db"


class PostgresqlEngine:
    """Databases on a server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._template = server.create_database()
        _migrate(self._template)

    def empty(self) -> str:
        return self._server.create_database()

    def migrated(self) -> str:
        return self._server.create_database(template=self._template)


@contextmanager
def django_on(url: str) -> Iterator[None]:
    """Let Django's default connection lead to the database at `url`, in every thread."""
    # Django's models cannot be imported before pytest-django has set Django up.
    from django.contrib.contenttypes.models import ContentType

    described = django_database(replace(load(), database_url=url))
    settings, connection = connections.settings["default"], connections["default"]
    connections.settings.update(connections.configure_settings({"default": described}))
    # Each thread makes a connection of its own from the settings; this one, again.
    del connections["default"]
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = settings
        connections["default"] = connection
        ContentType.objects.clear_cache()


def _migrate(url: str) -> None:
    with django_on(url):
        call_command("migrate", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def sqlite_engine(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Engine:
    """Makes SQLite databases."""
    with django_db_blocker.unblock():
        return SqliteEngine(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgresql_engine(
    postgres_server: PostgresServer, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Engine:
    """Makes PostgreSQL databases."""
    with django_db_blocker.unblock():
        return PostgresqlEngine(postgres_server)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Runs the tests of a module on both kinds of database, each on a new one with all tables.

    Of the scope of a module, so that Django is there before pytest-django begins a transaction.
    """
    engine: Engine = request.getfixturevalue(f"{request.param}_engine")
    with django_on(engine.migrated()):
        yield engine
