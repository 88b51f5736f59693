# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What DATABASE_URL says: Django's description of the database, and sentences about it."""

import re
from typing import Any

import dj_database_url
from django.db.migrations.exceptions import MigrationSchemaMissing

from socorro.settings import SettingError, Settings

_SQLITE = "django.db.backends.sqlite3"
_SQLITE_OPTIONS = {
    # A transaction that begins as a reader and then writes fails at once when another wrote
    # meanwhile; one that begins as a writer waits for its turn.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
# Options of libpq, in seconds unless said otherwise; those of the URL come before these.
_POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    # A server that vanished without a word is noticed: what is sent is not acknowledged, or an
    # idle connection does not answer. The first also goes on to the next address of a host name.
    "tcp_user_timeout": 5000,  # milliseconds
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "fallback_application_name": "socorro",
}


def django_database(settings: Settings) -> dict[str, Any]:
    """Return Django's description of the database in DATABASE_URL.

    Raises SettingError for an option that there is not. Nothing is opened.
    """
    described = _parse(settings.database_url)
    if described["ENGINE"] == _SQLITE:
        return described | {"OPTIONS": dict(_SQLITE_OPTIONS)}
    options = described.get("OPTIONS", {})
    _check_options(options)
    return described | {"OPTIONS": _POSTGRESQL_OPTIONS | options}


def name_of(settings: Settings) -> str:
    """Return what the database is and where, without credentials, for sentences."""
    described = _parse(settings.database_url)
    if described["ENGINE"] == _SQLITE:
        return f"the SQLite database {described['NAME']}"
    host, port = described["HOST"], described["PORT"] or 5432
    return f"the PostgreSQL database {described['NAME']} " + (
        f"at {host}:{port}" if host else "of this machine"
    )


def reason_of(error: Exception) -> str:
    """Return the one line of a database error that says why, without a full stop."""
    first: BaseException | None = error
    if isinstance(error, MigrationSchemaMissing):
        first = error.__context__
    while first is not None and first.__cause__ is not None:
        first = first.__cause__
    text = str(first).strip()
    # One line for each address of a host name; the server's own words follow FATAL.
    told = re.findall(r"(?:FATAL|failed):(?!\s*FATAL:)\s*(.+)", text)
    line = told[-1] if told else text.partition("\n")[0]
    return line.strip().rstrip(".") or type(first).__name__


def _parse(url: str) -> dict[str, Any]:
    return dict(dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True))


def _check_options(options: dict[str, Any]) -> None:
    """Raise SettingError for an option that libpq does not know."""
    # Only those who use PostgreSQL need it.
    import psycopg2
    from psycopg2.extensions import make_dsn

    try:
        make_dsn(**options)
    except psycopg2.ProgrammingError as error:
        reason = str(error).removeprefix("invalid dsn: ").strip()
        raise SettingError(f"DATABASE_URL: {reason}.") from None
