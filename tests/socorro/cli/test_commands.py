# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The command line, as far as it needs no server."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from socorro.cli.commands import cli

COMMANDS = (
    "collector", "crashmover", "cronrun", "demo", "fields", "manage", "migrate", "process",
    "processor", "provision", "queue", "reindex", "reprocess", "reset", "run", "search",
    "send-crash", "settings", "signature", "stackwalker", "stop", "symbols", "throttle", "webapp",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_help_lists_every_command_with_a_sentence() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in result.output
    assert cli.commands.keys() == set(COMMANDS)
    assert all(command.help for command in cli.commands.values())


# Django's and the signature library's commands have help of their own.
@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"manage", "signature"}))
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_settings_show_value_source_and_no_secret(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "do-not-show-me")
    result = CliRunner().invoke(cli, ["settings", "--json"])
    rows = {row["name"]: row for row in json.loads(result.output)}
    assert rows["CRASH_STORAGE"]["value"] == f"fs://{data}/crashes"
    assert rows["CRASH_STORAGE"]["source"] == "default"
    assert rows["SECRET_KEY"]["source"] == "environment"
    assert "do-not-show-me" not in result.output
    assert "do-not-show-me" not in CliRunner().invoke(cli, ["settings"]).output


def test_fields_describe_themselves_to_machines() -> None:
    described = json.loads(CliRunner().invoke(cli, ["fields", "--json"]).output)
    assert {"signature", "product", "json_dump"} <= {field["name"] for field in described}


def test_the_queue_is_shown_in_a_table(data: Path) -> None:
    data.mkdir()
    result = CliRunner().invoke(cli, ["queue"])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == [
        "queue",
        "priority",
        "standard",
        "reprocessing",
    ]


def test_stop_without_a_server_says_so(data: Path) -> None:
    result = CliRunner().invoke(cli, ["stop"])
    assert result.output == f"No server runs on {data}.\n"


def test_reset_asks_and_deletes_nothing_without_a_yes(data: Path) -> None:
    crash = data / "crashes" / "v1" / "raw_crash" / "x"
    crash.mkdir(parents=True)
    result = CliRunner().invoke(cli, ["reset"], input="n\n")
    assert result.exit_code == 0
    assert "Nothing was deleted." in result.output
    assert crash.is_dir()
