# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Django's settings from ours."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError

from socorro.settings import SettingError, load
from webapp.database import django_database, name_of, reason_of
from webapp.settings import allowed_hosts


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"127.0.0.1", "[::1]", "localhost"}),
        ({"webapp_host": "0.0.0.0"}, {"127.0.0.1", "[::1]", "localhost"}),
        ({"webapp_host": "::"}, {"127.0.0.1", "[::1]", "localhost"}),
        ({"webapp_host": "10.0.0.5"}, {"10.0.0.5", "127.0.0.1", "[::1]", "localhost"}),
        (
            {"webapp_url": "https://crashes.example:8443/x"},
            {"crashes.example", "127.0.0.1", "[::1]", "localhost"},
        ),
        (
            {"allowed_hosts": (".internal", "*")},
            {".internal", "*", "127.0.0.1", "[::1]", "localhost"},
        ),
    ],
)
def test_the_hosts_are_this_machine_and_what_is_configured(
    changes: dict[str, object], expected: set[str]
) -> None:
    assert set(allowed_hosts(replace(load(), **changes))) == expected  # type: ignore[arg-type]


POSTGRESQL = "django.db.backends.postgresql"


def described(url: str) -> dict[str, Any]:
    return django_database(replace(load(), database_url=url))


def test_sqlite_waits_for_other_writers_instead_of_failing() -> None:
    database = described("sqlite:////tmp/a folder/x.db")
    assert database["NAME"] == "/tmp/a folder/x.db"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_parts_of_a_postgresql_url_are_taken_literally_once_decoded(scheme: str) -> None:
    database = described(f"{scheme}://us%40er:p%2F%23%25%3Aw@DB.example:6543/na%20me")
    parts = [database[name] for name in ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME")]
    assert parts == [POSTGRESQL, "us@er", "p/#%:w", "db.example", 6543, "na me"]


@pytest.mark.parametrize("address", ["db.example", "db.example:"])
def test_without_a_port_it_is_that_of_postgresql(address: str) -> None:
    url = f"postgres://user:password@{address}/name"
    assert described(url)["PORT"] == ""
    told = name_of(replace(load(), database_url=url))
    assert told == "the PostgreSQL database name at db.example:5432"


def test_options_of_the_url_reach_libpq_and_come_before_ours() -> None:
    options = described("postgres://u:p@h/n?sslmode=verify-full&connect_timeout=9")["OPTIONS"]
    assert (options["sslmode"], options["connect_timeout"]) == ("verify-full", 9)
    assert options["tcp_user_timeout"] > 0
    assert described("postgres://u:p@h/n")["OPTIONS"]["connect_timeout"] == 5


def test_connections_are_kept_and_looked_at_before_they_are_used_again() -> None:
    for url in ("sqlite:////tmp/x.db", "postgres://u:p@h/n"):
        assert described(url)["CONN_MAX_AGE"] > 0
        assert described(url)["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize("option", ["colour", "pool", "cursor_factory"])
def test_an_option_that_libpq_does_not_know_is_named(option: str) -> None:
    with pytest.raises(SettingError) as caught:
        described(f"postgres://user:secret@host/name?{option}=true")
    assert str(caught.value) == f'DATABASE_URL: invalid connection option "{option}".'


REFUSED = 'connection to server at "localhost" (::1), port 5432 failed: Connection refused\n'
HINT = "\tIs the server running on that host and accepting TCP/IP connections?\n"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (REFUSED + HINT, "Connection refused"),
        ("Connection refused\n" + HINT, "Connection refused"),
        (
            REFUSED + HINT + 'connection to server at "localhost" (127.0.0.1), port 5432 failed: '
            'FATAL:  database "x" does not exist\n',
            'database "x" does not exist',
        ),
        ("FATAL:  permission denied.\nDETAIL:  User lacks it.\n", "permission denied"),
        ("", "OperationalError"),
    ],
)
def test_the_reason_is_one_line_of_what_the_driver_says(message: str, reason: str) -> None:
    assert reason_of(OperationalError(message)) == reason
