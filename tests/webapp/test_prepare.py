# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Preparing and checking the database, as the commands do it."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from pytest_django import Settings

from socorro.settings import SettingError
from tests.contract.processes import wait_until
from tests.databases import Engine, django_on
from tests.servers import PostgresServer
from tests.servers.ports import free_port
from webapp.prepare import check_database, prepare

PREPARE = "from webapp.prepare import prepare; prepare()"
Change = Callable[[str, int], str]
Ask = Callable[[Callable[[], None], Path, str], str]


def environment(data: Path, database: str = "") -> dict[str, str]:
    urls = {"DATABASE_URL": database} if database else {}
    return {**os.environ, "SOCORRO_DATA": str(data), **urls}


def in_process(
    data: Path, program: str = PREPARE, database: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment(data, database),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def sentence_of(settings: Settings, db: None) -> Ask:
    """Return what a function of webapp.prepare says about a database; nothing if all is well."""

    def ask(function: Callable[[], None], data: Path, url: str) -> str:
        settings.SOCORRO = replace(settings.SOCORRO, data=data, database_url=url)
        told = ""
        with django_on(url):
            try:
                function()
            except SettingError as error:
                told = str(error)
        assert "\n" not in told
        return told

    return ask


def test_several_processes_may_prepare_an_empty_folder_at_once(tmp_path: Path) -> None:
    data = tmp_path / "not" / "there yet"
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(in_process, [data] * 3))
    assert [result.returncode for result in results] == [0, 0, 0], results
    with sqlite3.connect(data / "socorro.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        permissions = {name for (name,) in database.execute("SELECT codename FROM auth_permission")}
    assert "crashstats_priorityrequest" in tables
    assert {"view_pii", "view_rawdump"} <= permissions
    assert len((data / "secret_key").read_text()) >= 40


def test_the_second_time_nothing_changes(tmp_path: Path) -> None:
    assert in_process(tmp_path).returncode == 0
    key = (tmp_path / "secret_key").read_text()
    with sqlite3.connect(tmp_path / "socorro.db") as database:
        applied = database.execute("SELECT * FROM django_migrations").fetchall()
    assert in_process(tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "socorro.db") as database:
        assert database.execute("SELECT * FROM django_migrations").fetchall() == applied
    assert (tmp_path / "secret_key").read_text() == key


def test_a_data_folder_that_cannot_be_is_one_sentence(tmp_path: Path, sentence_of: Ask) -> None:
    (tmp_path / "file").write_text("")
    sentence = sentence_of(prepare, tmp_path / "file" / "data", f"sqlite:///{tmp_path}/x.db")
    assert sentence.startswith("SOCORRO_DATA=")


def tables(url: str) -> set[str]:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = {name for (name,) in cursor.fetchall()}
    connection.close()
    return names


def test_many_machines_may_migrate_one_empty_database_at_once(
    tmp_path: Path, sentence_of: Ask, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    folders = [tmp_path / str(number) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda data: in_process(data, PREPARE, url), folders))
    assert [result.returncode for result in results] == [0] * 6, results
    assert {"crashstats_priorityrequest", "cron_lease", "auth_user"} <= tables(url)
    assert sentence_of(check_database, tmp_path, url) == ""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_permissions_that_a_killed_process_did_not_make_are_made(
    kind: str, tmp_path: Path, sentence_of: Ask, request: pytest.FixtureRequest, db: None
) -> None:
    from django.contrib.auth.models import Permission

    engine: Engine = request.getfixturevalue(f"{kind}_engine")
    url = engine.migrated()
    with django_on(url):
        Permission.objects.all().delete()
    assert "lacks migrations" in sentence_of(check_database, tmp_path, url)
    assert sentence_of(prepare, tmp_path, url) == ""
    with django_on(url):
        assert Permission.objects.filter(codename="view_rawdump").exists()


HOLD = """
import time
from webapp import prepare
prepare._set_up()
with prepare._alone_in_database():
    print("held", flush=True)
    time.sleep(600)
"""


def test_others_wait_for_who_migrates_and_go_on_when_that_one_is_killed(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], env=environment(tmp_path / "a", url), stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(in_process, tmp_path / "b", PREPARE, url)
        wait_until(lambda: _waits_for_a_lock(url), "somebody waits")
        assert not waiting.done()
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
        result = waiting.result()
    assert result.returncode == 0, result
    assert "another process is migrating the database" in result.stderr
    assert "cron_lease" in tables(url)


def _waits_for_a_lock(url: str) -> bool:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return cursor.rowcount > 0
    finally:
        connection.close()


def test_a_database_that_was_not_migrated_is_one_sentence(
    tmp_path: Path, sentence_of: Ask, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    parts = urlsplit(url)
    assert sentence_of(check_database, tmp_path, url) == (
        f"DATABASE_URL: the PostgreSQL database {parts.path[1:]} at 127.0.0.1:{parts.port} lacks "
        "migrations of this version; run `socorro migrate`."
    )
    file = tmp_path / "x.db"
    assert sentence_of(check_database, tmp_path, f"sqlite:///{file}") == (
        f"DATABASE_URL: the SQLite database {file} lacks migrations of this version; run "
        "`socorro migrate`."
    )


@pytest.mark.parametrize("function", [prepare, check_database])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url, port: url.replace("%3Athe", "%3Aa"), "password authentication failed"),
        (lambda url, port: f"{url}x", "does not exist"),
        (lambda url, port: url.replace(str(urlsplit(url).port), str(port)), "Connection refused"),
        (lambda url, port: url.replace("127.0.0.1", "nowhere.invalid"), "could not translate"),
        (lambda url, port: f"{url}?sslmode=require", "server does not support SSL"),
    ],
    ids=["password", "name", "port", "host", "ssl"],
)
def test_a_database_that_cannot_be_used_is_one_sentence_without_the_password(
    function: Callable[[], None],
    change: Change,
    reason: str,
    tmp_path: Path,
    sentence_of: Ask,
    postgres_server: PostgresServer,
) -> None:
    url = change(postgres_server.create_database(), free_port())
    sentence = sentence_of(function, tmp_path, url)
    assert sentence.startswith("DATABASE_URL: cannot use the PostgreSQL database socorro_")
    assert reason in sentence
    assert sentence.endswith(".")
    assert not any(part in sentence for part in ("secret", "%2F", "@"))


def test_a_user_who_may_not_make_tables_is_one_sentence(
    tmp_path: Path, sentence_of: Ask, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC, pg_database_owner")
    connection.close()
    assert sentence_of(prepare, tmp_path, url).endswith(": permission denied for schema public.")


@pytest.mark.parametrize("function", [prepare, check_database])
def test_a_file_that_is_no_database_is_one_sentence(
    function: Callable[[], None], tmp_path: Path, sentence_of: Ask
) -> None:
    file = tmp_path / "x.db"
    file.write_text("something else" * 1000)
    assert sentence_of(function, tmp_path, f"sqlite:///{file}") == (
        f"DATABASE_URL: cannot use the SQLite database {file}: file is not a database."
    )


def test_a_database_of_another_encoding_is_one_sentence(
    tmp_path: Path, sentence_of: Ask, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        name = f"{urlsplit(url).path[1:]}_latin"
        cursor.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    connection.close()
    sentence = sentence_of(prepare, tmp_path, f"{url}_latin")
    assert "has the encoding LATIN1; make it anew with UTF8." in sentence


def test_crash_stats_does_not_start_on_a_database_that_cannot_be_used(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    for database, reason in ((url, "run `socorro migrate`."), (f"{url}x", "does not exist.")):
        ended = subprocess.run(
            [sys.executable, "-m", "socorro", "webapp"],
            env=environment(tmp_path, database),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode == 78
        assert ended.stderr.startswith("socorro: DATABASE_URL: ")
        assert ended.stderr.rstrip("\n").endswith(reason)
        assert ended.stderr.count("\n") == 1
