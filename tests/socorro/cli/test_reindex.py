# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reindex`: which crashes it takes, what it says, and how it goes on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socorro import settings
from socorro.cli.commands import cli
from socorro.crash_id import make_crash_id
from socorro.search import SearchUnavailable, open_index
from socorro.search.embedded import EmbeddedIndex
from socorro.storage import CrashReport, FilesystemStorage


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Crashes of today and the three days before, the newest first; the last is not processed."""
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    storage = FilesystemStorage(tmp_path / "data" / "crashes")
    ids = []
    for age in range(4):
        moment = datetime.now(UTC) - timedelta(days=age)
        ids.append(make_crash_id(moment))
        storage.save_raw_crash(CrashReport(ids[-1], {}))
        if age < 3:
            processed = {"uuid": ids[-1], "date_processed": moment.isoformat()}
            storage.save_processed_crash(ids[-1], processed)
    return ids


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def indexed(ids: list[str]) -> list[str]:
    index = open_index(settings.load().search)
    there = index.containing(ids)
    index.close()
    return [crash_id for crash_id in ids if crash_id in there]


@pytest.mark.parametrize("command", [("reindex",), ("search", "rebuild")])
def test_all_that_is_processed_is_indexed_under_either_name(
    stored: list[str], command: tuple[str, ...]
) -> None:
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert result.stdout == "3 crashes are indexed; 1 are not processed yet.\n"
    assert indexed(stored) == stored[:3]


def test_days_are_chosen_from_either_end(stored: list[str]) -> None:
    assert run("reindex", "--days", "1").stdout.startswith("1 crash is indexed; 0 are not")
    assert indexed(stored) == stored[:1]
    day = datetime.now(UTC).date() - timedelta(days=2)
    assert run("reindex", "--from", f"{day}", "--to", f"{day}").stdout.startswith("1 crash is")
    assert indexed(stored) == [stored[0], stored[2]]


def test_only_what_the_index_lacks_is_put_there(stored: list[str]) -> None:
    assert run("reindex", "--days", "1").exit_code == 0
    result = run("reindex", "--missing")
    assert result.stdout == (
        "2 crashes are indexed; 1 are not processed yet; 1 were in the index already.\n"
    )


def test_a_dry_run_says_what_would_be_done_and_does_nothing(stored: list[str]) -> None:
    assert run("reindex", "--days", "1").exit_code == 0
    assert run("reindex", "--dry-run", "--missing").stdout == (
        "2 crashes would be indexed; 1 of 3 processed ones are in the index, "
        "1 are not processed yet; nothing was done.\n"
    )
    assert run("reindex", "--dry-run").stdout.startswith("3 crashes would be indexed;")
    assert indexed(stored) == stored[:1]


def test_an_interrupted_run_goes_on_where_it_was(
    stored: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socorro.search.rebuild._CHUNK", 1)
    put = EmbeddedIndex.put
    goes = iter([True, True, False])

    def fails(self: EmbeddedIndex, document: dict[str, object]) -> None:
        if not next(goes):
            raise SearchUnavailable("gone")
        put(self, document)

    done_file = tmp_path / "done"
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedIndex, "put", fails)
        result = run("reindex", "--resume", str(done_file))
    assert isinstance(result.exception, SearchUnavailable)
    assert "2 crashes are indexed" in result.stderr
    assert "The same command goes on there." in result.stderr

    other = run("reindex", "--resume", str(done_file), "--missing")
    assert (other.exit_code, indexed(stored)) == (2, stored[:2])
    assert "belongs to a command with other options" in other.stderr

    result = run("reindex", "--resume", str(done_file))
    assert result.stdout == "1 crash is indexed; 1 are not processed yet.\n"
    assert f"Goes on after {stored[1]}" in result.stderr
    assert indexed(stored) == stored[:3]
    assert not done_file.exists()


def test_without_a_file_the_day_to_go_on_with_is_told(
    stored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socorro.search.rebuild._CHUNK", 1)
    put = EmbeddedIndex.put
    goes = iter([True, False])

    def interrupted(self: EmbeddedIndex, document: dict[str, object]) -> None:
        if not next(goes):
            raise KeyboardInterrupt
        put(self, document)

    monkeypatch.setattr(EmbeddedIndex, "put", interrupted)
    result = run("reindex")
    assert result.exit_code == 130
    assert f"It goes on with --to {datetime.now(UTC).date()}." in result.stderr


@pytest.mark.parametrize(
    "arguments", [("--days", "2", "--from", "2026-11-01"), ("--rate", "0"), ("--from", "today")]
)
def test_what_cannot_be_meant_is_refused_with_the_usage(
    stored: list[str], arguments: tuple[str, ...]
) -> None:
    result = run("reindex", *arguments)
    assert (result.exit_code, indexed(stored)) == (2, [])
    assert "Usage:" in result.stderr
