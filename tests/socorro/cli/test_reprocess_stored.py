# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reprocess --stored`: everything anew from raw storage."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socorro.cli.commands import cli
from socorro.queue import LocalQueue, QueueName, QueueUnavailable, Task
from socorro.storage import CrashReport, FilesystemStorage

DAYS = (22, 21, 20)
IDS = [f"{number:08x}-0000-0000-0000-0000002611{day}" for day in DAYS for number in range(1, 4)]
DEFERRED = "00000009-0000-0000-0000-000001261120"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three crashes a day, of which the first is processed, and a deferred one on the last day."""
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    storage = FilesystemStorage(tmp_path / "data" / "crashes")
    for crash_id in [*IDS, DEFERRED]:
        storage.save_raw_crash(CrashReport(crash_id, {}))
    for crash_id in IDS[::3]:
        storage.save_processed_crash(crash_id, {"uuid": crash_id})
    return tmp_path / "data"


@pytest.fixture
def queued(data: Path) -> Callable[[], list[Task]]:
    def read() -> list[Task]:
        queue = LocalQueue(data / "queue", lease_seconds=60)
        messages = queue.receive(10_000, wait=0, queues=[QueueName.REPROCESSING])
        queue.close()
        return [message.task for message in messages]

    return read


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["reprocess", "--stored", *arguments])


def tasks(crash_ids: list[str], ruleset: str = "default") -> list[Task]:
    return [Task(crash_id, ruleset) for crash_id in crash_ids]


def test_all_crashes_are_queued_the_newest_days_first_and_deferred_ones_are_left(
    queued: Callable[[], list[Task]],
) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stdout == "9 crashes are queued in reprocessing, ruleset default.\n"
    assert queued() == tasks(IDS)


def test_only_the_missing_ones_of_some_days(queued: Callable[[], list[Task]]) -> None:
    assert run("--missing", "--to", "2026-11-21", "--from", "2026-11-21").exit_code == 0
    assert queued() == tasks(IDS[4:6])


def test_deferred_ones_are_queued_if_asked_for(queued: Callable[[], list[Task]]) -> None:
    assert run("--missing", "--deferred", "--to", "2026-11-20").exit_code == 0
    assert queued() == tasks([*IDS[7:], DEFERRED])


def test_signatures_are_made_again_of_what_is_processed(
    queued: Callable[[], list[Task]],
) -> None:
    assert run("--ruleset", "regenerate_signature").exit_code == 0
    assert queued() == tasks(IDS[::3], "regenerate_signature")


def test_a_dry_run_lists_them(queued: Callable[[], list[Task]]) -> None:
    result = run("--missing", "--dry-run")
    assert result.stdout.split() == [crash_id for crash_id in IDS if crash_id not in IDS[::3]]
    assert "6 crashes would be queued in reprocessing" in result.stderr
    assert queued() == []


def test_an_outage_on_the_way_tells_how_to_go_on_and_the_file_remembers(
    queued: Callable[[], list[Task]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = LocalQueue.publish
    done_file = str(tmp_path / "done")

    def fail_after(batches: int) -> Callable[..., None]:
        left = iter(range(batches))

        def some(self: LocalQueue, queue: QueueName, batch: list[Task]) -> None:
            if next(left, None) is None:
                raise QueueUnavailable("gone")
            publish(self, queue, batch)

        return some

    def run_until_the_queue_fails(batches: int, *arguments: str) -> Result:
        with monkeypatch.context() as patch:
            patch.setattr(LocalQueue, "publish", fail_after(batches))
            patch.setattr("socorro.reprocessing.destination._QUEUE_BATCH", 1)
            result = run(*arguments)
        assert isinstance(result.exception, QueueUnavailable)
        return result

    result = run_until_the_queue_fails(4)
    assert "4 crashes were queued.\nIt goes on with --to 2026-11-21." in result.stderr
    assert queued() == tasks(IDS[:4])

    result = run_until_the_queue_fails(5, "--resume", done_file)
    assert "5 crashes were queued.\nThe same command goes on there." in result.stderr
    assert run("--resume", done_file, "--missing").exit_code == 2
    result = run("--resume", done_file)
    assert f"Goes on after {IDS[4]}" in result.stderr
    assert result.stdout.startswith("4 crashes are queued")
    assert queued() == tasks(IDS)
    assert not Path(done_file).exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (IDS[0],),
        ("--last", "3"),
        ("--query", "product=DemoApp"),
        ("--missing", "--ruleset", "regenerate_signature"),
        ("--from", "1.11.2026"),
        ("--rate", "0"),
        ("--host", "https://crashes.example.org", "--most-waiting", "3"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_usage(
    queued: Callable[[], list[Task]], arguments: tuple[str, ...]
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert queued() == []


def test_days_without_stored_are_refused(data: Path) -> None:
    result = CliRunner().invoke(cli, ["reprocess", "--last", "3", "--missing"])
    assert result.exit_code == 2
    assert "go with --stored" in result.stderr
