# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Bring the database to the state that this version needs, or check that somebody did."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import Error, connection, connections
from django.db.migrations.executor import MigrationExecutor

from socorro.settings import SettingError, Settings, secret_key
from webapp.database import name_of, reason_of

logger = logging.getLogger(__name__)

# The number of PostgreSQL's advisory lock around migrations: any, and the same for ever.
_LOCK = 0x50C0_2205
_PERMISSION = "view_pii"


def prepare() -> None:
    """Make the secret key and apply missing migrations; quick when there is nothing to do.

    Any number of processes on any number of machines may call it at once. Raises SettingError: a
    sentence that says what cannot be used, and why. Static files need no preparation (see
    `webapp.static_files`). No connection is left open.
    """
    socorro = _set_up()
    with _alone(socorro):
        secret_key(socorro)
        with _usable_database(socorro):
            if not _is_up_to_date():
                with _alone_in_database():
                    call_command("migrate", interactive=False, verbosity=0)


def check_database() -> None:
    """Check that the database answers and has all migrations. Raises SettingError.

    For processes that use it and do not prepare it, at their start. No connection is left open.
    """
    socorro = _set_up()
    with _usable_database(socorro):
        if not _is_up_to_date():
            raise SettingError(
                f"DATABASE_URL: {name_of(socorro)} lacks migrations of this version; run "
                "`socorro migrate`."
            )


def _set_up() -> Settings:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    socorro: Settings = settings.SOCORRO
    return socorro


def _is_up_to_date() -> bool:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    # They are made after the last migration, perhaps by a process that was killed before.
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename=_PERMISSION).exists()


@contextmanager
def _usable_database(socorro: Settings) -> Iterator[None]:
    """Make a sentence of what goes wrong with the database, and close it at the end."""
    try:
        _check_encoding(socorro)
        yield
    except (Error, ImproperlyConfigured) as error:
        raise SettingError(
            f"DATABASE_URL: cannot use {name_of(socorro)}: {reason_of(error)}."
        ) from error
    finally:
        # Who goes on from here may fork or wait; others can use the connection meanwhile.
        connections.close_all()


def _check_encoding(socorro: Settings) -> None:
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        return
    encoding = connection.connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise SettingError(
            f"DATABASE_URL: {name_of(socorro)} has the encoding {encoding}; make it anew with UTF8."
        )


@contextmanager
def _alone_in_database() -> Iterator[None]:
    """Hold the lock of the database, which goes with the connection, however that ends.

    SQLite is used by one machine, whose processes have the lock of the data folder.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        # A limit of the server or role for queries is none for migrations, nor for waiting here.
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if cursor.fetchone() == (False,):
            logger.warning("another process is migrating the database; waiting for it")
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    yield


@contextmanager
def _alone(socorro: Settings) -> Iterator[None]:
    """Hold the lock of this data folder; it goes with the process, however that ends."""
    try:
        socorro.data.mkdir(parents=True, exist_ok=True)
        lock = (socorro.data / "prepare.lock").open("a")
    except OSError as error:
        raise SettingError(
            f"SOCORRO_DATA={socorro.data}: cannot be written ({error.strerror}); "
            "choose a folder that this user may write to."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
