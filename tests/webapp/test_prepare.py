# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Preparing the database, as the commands do it."""

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PREPARE = "from webapp.prepare import prepare; prepare()"


def prepare(data: Path, program: str = PREPARE) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SOCORRO_DATA": str(data)}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_several_processes_may_prepare_an_empty_folder_at_once(tmp_path: Path) -> None:
    data = tmp_path / "not" / "there yet"
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(prepare, [data] * 3))
    assert [result.returncode for result in results] == [0, 0, 0], results
    with sqlite3.connect(data / "socorro.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        permissions = {name for (name,) in database.execute("SELECT codename FROM auth_permission")}
    assert "crashstats_priorityrequest" in tables
    assert {"view_pii", "view_rawdump"} <= permissions
    assert len((data / "secret_key").read_text()) >= 40


def test_the_second_time_nothing_changes(tmp_path: Path) -> None:
    assert prepare(tmp_path).returncode == 0
    key = (tmp_path / "secret_key").read_text()
    with sqlite3.connect(tmp_path / "socorro.db") as database:
        applied = database.execute("SELECT * FROM django_migrations").fetchall()
    assert prepare(tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "socorro.db") as database:
        assert database.execute("SELECT * FROM django_migrations").fetchall() == applied
    assert (tmp_path / "secret_key").read_text() == key


def test_a_data_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    program = (
        "from socorro.settings import SettingError\n"
        "from webapp.prepare import prepare\n"
        "try:\n    prepare()\n"
        "except SettingError as error:\n    print(error)"
    )
    result = prepare(tmp_path / "file" / "data", program)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("SOCORRO_DATA=")
    assert result.stdout.count("\n") == 1


def test_no_migration_is_missing(tmp_path: Path) -> None:
    program = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'webapp.settings'\n"
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('makemigrations', check=True, dry_run=True, verbosity=1)"
    )
    result = prepare(tmp_path, program)
    assert result.returncode == 0, result.stdout
