# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Bring the database to the state that this version needs; what `socorro migrate` runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from socorro.settings import SettingError, Settings, secret_key


def prepare() -> None:
    """Make the secret key and apply missing migrations; quick when there is nothing to do.

    Any number of processes may call it at once. Raises SettingError when the data folder cannot
    be written, django.db.DatabaseError when the database does not answer. Static files need no
    preparation (see `webapp.static_files`).
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    socorro: Settings = settings.SOCORRO
    with _alone(socorro):
        secret_key(socorro)
        if _has_missing_migrations():
            call_command("migrate", interactive=False, verbosity=0)


def _has_missing_migrations() -> bool:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


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
