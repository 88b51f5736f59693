# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reprocess --host`: crashes of another installation, by its API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socorro.cli.commands import cli
from socorro.crash_id import make_crash_id
from socorro.reprocessing.pace import Pace
from tests.socorro.reprocessing.other_server import TOKEN, Answer, Other, serving

NOW = datetime.now(UTC)
IDS = [make_crash_id(NOW - timedelta(minutes=age)) for age in range(120)]


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Other]:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SOCORRO_REPROCESS_API_TOKEN", TOKEN)
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr("socorro.cli.reprocessing.Pace", partial(Pace, pause=waits.append))
    return waits


def run(other: Other, *arguments: str, stdin: str = "") -> Result:
    command = ["reprocess", "--host", other.address, *arguments]
    return CliRunner().invoke(cli, command, input=stdin)


def hits(crash_ids: list[str]) -> list[dict[str, str]]:
    return [
        {"uuid": crash_id, "date": (NOW - timedelta(minutes=age)).isoformat()}
        for age, crash_id in enumerate(crash_ids)
    ]


def test_ids_are_posted_in_groups_with_a_pause_between(other: Other, waits: list[float]) -> None:
    result = run(other, "-", "--ruleset", "regenerate_signature", stdin="\n".join(IDS))
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"120 crashes are queued at {other.address}, ruleset regenerate_signature.\n"
    )
    assert [len(batch) for batch in other.batches] == [50, 50, 20]
    sent = [body for batch in other.batches for body in batch]
    assert sent == [f"{crash_id}:regenerate_signature" for crash_id in IDS]
    assert [round(wait) for wait in waits] == [1, 1]


def test_pause_and_rate_can_be_given(other: Other, waits: list[float]) -> None:
    assert run(other, "--sleep", "0", *IDS).exit_code == 0
    assert waits == []
    assert run(other, "--sleep", "0", "--rate", "30", *IDS[:60]).exit_code == 0
    assert [len(batch) for batch in other.batches[3:]] == [30, 30]
    assert len(waits) == 1


def test_a_search_is_asked_of_the_other_server(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socorro.cli.latest.MAX_RESULTS", 10)
    monkeypatch.setattr("socorro.cli.latest.MAX_WINDOW", 30)
    other.hits, other.most_hits = hits(IDS), 30
    result = run(other, "--query", "product=Ours&signature=~alpha&_facets=version")
    assert result.exit_code == 0, result.output
    assert [body for batch in other.batches for body in batch] == IDS
    first = other.searches[0]
    assert (first["product"], first["signature"]) == (["Ours"], ["~alpha"])
    assert (first["_facets_size"], first["_columns"]) == (["0"], ["uuid", "date"])
    assert len(first["date"]) == 1
    assert first["date"][0].startswith(">=")


def test_the_latest_with_a_signature_are_asked_for(other: Other) -> None:
    other.hits = hits(IDS)
    assert run(other, "--signature", "a | b", "--last", "2").exit_code == 0
    assert other.batches == [IDS[:2]]
    assert other.searches[0]["signature"] == ["=a | b"]


def test_a_wrong_search_does_not_reach_the_server(other: Other) -> None:
    assert run(other, "--query", "prodcut=Ours").exit_code == 2
    assert other.headers == []


@pytest.mark.parametrize(
    "hit",
    [
        {"uuid": "../../etc", "date": NOW.isoformat()},
        {"uuid": IDS[0], "date": "yesterday"},
        {"uuid": IDS[0], "date": "2026-11-20T00:00:00"},
        {"uuid": IDS[0]},
        {},
    ],
)
def test_crashes_without_id_or_date_are_refused(other: Other, hit: dict[str, str]) -> None:
    other.hits = [hit]
    result = run(other, "--last", "1")
    assert (result.exit_code, other.batches) == (1, [])
    assert "crashes without a crash id or a date" in result.stderr


def test_a_dry_run_posts_nothing(other: Other) -> None:
    other.hits = hits(IDS[:3])
    result = run(other, "--last", "5", "--dry-run")
    assert result.stdout.split() == IDS[:3]
    assert f"3 crashes would be queued at {other.address}" in result.stderr
    assert other.batches == []


def test_a_wrong_token_is_one_sentence_that_does_not_hold_it(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCORRO_REPROCESS_API_TOKEN", "not-the-token")
    result = run(other, *IDS[:2])
    assert result.exit_code == 1
    assert "API Token not matched; is the API token right?" in result.stderr
    assert "not-the-token" not in result.output


def test_a_refusal_on_the_way_says_how_far_it_came_and_can_be_resumed(
    other: Other, tmp_path: Path
) -> None:
    other.hits = hits(IDS)
    done_file = str(tmp_path / "done")
    assert run(other, "--resume", done_file, *IDS[:50]).exit_code == 0
    other.answers = [Answer(200, b"null"), Answer(403, b'{"error": "API Token found but expired"}')]
    result = run(other, "--resume", done_file, "-", stdin="\n".join(IDS))
    assert result.exit_code == 1
    assert "50 of 120 crashes were queued." in result.stderr
    assert "found but expired" in result.stderr
    assert run(other, "--resume", done_file, "-", stdin="\n".join(IDS)).exit_code == 0
    assert [body for batch in other.batches[1:] for body in batch] == IDS[50:]


@pytest.mark.parametrize("host", ["", "crashes.example.org", "https://me:secret@crashes.example"])
def test_an_address_that_is_none_is_refused(other: Other, host: str) -> None:
    result = CliRunner().invoke(cli, ["reprocess", "--host", host, IDS[0]])
    assert result.exit_code == 2
    assert "--host: " in result.stderr
    assert "secret" not in result.output
