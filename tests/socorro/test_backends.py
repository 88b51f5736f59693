# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The engines that the settings select."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from socorro import backends
from socorro.cli.commands import cli
from socorro.settings import SettingError, Settings, load


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a fleet; nothing of it exists."""
    monkeypatch.setenv("CRASH_STORAGE", "s3://crashes?endpoint=http://127.0.0.1:9000")
    monkeypatch.setenv("TELEMETRY_STORAGE", "")
    monkeypatch.setenv("CRASH_QUEUE", "sqs://socorro?region=eu-west-1&standard=crashes")
    monkeypatch.setenv("DATABASE_URL", "postgres://socorro:hunter2@db.example.com:5433/crashstats")
    return load()


def test_by_default_everything_is_on_this_machine(folder: Path) -> None:
    assert backends.engines(load()) == {
        "CRASH_STORAGE": f"files below {folder}/crashes",
        "FALLBACK_STORAGE": ("none: while storage is down, clients are told to keep their reports"),
        "PROCESSED_STORAGE": f"files below {folder}/crashes",
        "TELEMETRY_STORAGE": f"files below {folder}/telemetry",
        "CRASH_QUEUE": f"SQLite in {folder}/queue",
        "SEARCH": f"embedded index (tantivy) in {folder}/search",
        "DATABASE_URL": f"SQLite in {folder}/socorro.db",
    }


def test_each_url_tells_its_engine_and_place_and_no_password(remote: Settings) -> None:
    engines = backends.engines(remote)
    assert engines["CRASH_STORAGE"] == "S3 bucket crashes at http://127.0.0.1:9000"
    assert engines["PROCESSED_STORAGE"] == engines["CRASH_STORAGE"]
    assert engines["TELEMETRY_STORAGE"] == "none: nothing is exported"
    assert engines["CRASH_QUEUE"] == (
        "SQS queues socorro-priority, crashes, socorro-reprocessing in eu-west-1"
    )
    assert engines["DATABASE_URL"] == "PostgreSQL database crashstats on db.example.com:5433"
    assert "hunter2" not in str(engines)


def test_the_command_shows_the_engines_to_people_and_machines(remote: Settings) -> None:
    shown = CliRunner().invoke(cli, ["settings"]).output
    assert "    Engine: S3 bucket crashes at http://127.0.0.1:9000\n" in shown
    rows = json.loads(CliRunner().invoke(cli, ["settings", "--json"]).output)
    assert {row["name"]: row["engine"] for row in rows if row["engine"]} == backends.engines(remote)
    assert "hunter2" not in shown + json.dumps(rows)


def test_what_is_checked_works_and_what_is_provided_is_there(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["provision"])
    assert done.exit_code == 0
    assert f"CRASH_QUEUE: SQLite in {folder}/queue\n" in done.output
    assert (folder / "crashes").is_dir()
    backends.verify(load())


def test_a_backend_that_does_not_work_is_named_by_its_setting(folder: Path) -> None:
    (folder / "telemetry").write_text("a file where a folder should be")
    backends.verify(load(), ("CRASH_STORAGE", "CRASH_QUEUE"))
    with pytest.raises(SettingError, match=rf"^TELEMETRY_STORAGE=fs://{folder}/telemetry: .*\.$"):
        backends.verify(load())


def test_a_reset_does_not_touch_engines_elsewhere(remote: Settings) -> None:
    done = CliRunner().invoke(cli, ["reset", "--yes"])
    assert isinstance(done.exception, SettingError)
    assert str(done.exception).startswith("CRASH_STORAGE, PROCESSED_STORAGE, CRASH_QUEUE, DATABASE")


def test_the_fallback_is_made_with_the_others_and_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FALLBACK_STORAGE", f"fs://{folder}/fallback")
    done = CliRunner().invoke(cli, ["provision"])
    assert f"FALLBACK_STORAGE: files below {folder}/fallback\n" in done.output
    assert (folder / "fallback").is_dir()


def test_a_reset_takes_what_waits_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALLBACK_STORAGE", f"fs://{folder}/fallback")
    monkeypatch.setattr("webapp.prepare.prepare", lambda: None)
    (folder / "fallback/v1/raw_crash").mkdir(parents=True)
    (folder / "unpublished").mkdir()
    waiting = folder / "unpublished/0b5e0b5e-0b5e-4b5e-8b5e-0b5e00261122"
    ours = folder / "unpublished/a file of somebody else"
    for path in (waiting, ours):
        path.touch()
    done = CliRunner().invoke(cli, ["reset", "--yes"])
    assert done.exit_code == 0, done.output
    assert not waiting.exists()
    assert ours.exists()
    assert not (folder / "fallback/v1").exists()
