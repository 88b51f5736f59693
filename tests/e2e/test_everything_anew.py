# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""From raw storage everything else is made again, while reports come in."""

import shutil
from pathlib import Path
from typing import Any

import requests

from tests.e2e.server import Server, wait_until

DUMP = Path(__file__).parents[2] / "samples" / "minidumps" / "test.dmp"
REPORT = {"ProductName": "DemoApp", "Version": "1.0"}
# What tells when and how often a crash was processed; all else must come out the same.
RUNS = {"completed_datetime", "processor_history", "processor_notes", "started_datetime"}


def content(processed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in processed.items() if name not in RUNS}


def found(server: Server, crash_ids: list[str]) -> bool:
    page = requests.get(f"{server.webapp}/search/", timeout=30).text
    return all(f"/report/index/{crash_id}" in page for crash_id in crash_ids)


def lose(server: Server, *folders: str) -> None:
    """Stop the server, delete folders of its data, and start it again."""
    assert server.stop() == 0
    for folder in folders:
        shutil.rmtree(server.data / folder)
    server.start()


def test_processed_crashes_export_and_index_come_back_from_raw_storage(server: Server) -> None:
    server.start()
    crash_ids = [server.submit({**REPORT, "BuildID": f"2026{n}"}, DUMP) for n in range(3)]
    before = {crash_id: server.wait_for_crash(crash_id, 120) for crash_id in crash_ids}
    processed_folder = "crashes/v1/processed_crash"
    lose(server, processed_folder, "telemetry/v1", "search")
    assert not (server.data / processed_folder).exists()

    listed = server.socorro("reprocess", "--stored", "--missing", "--dry-run")
    assert sorted(listed.stdout.split()) == sorted(crash_ids)
    fresh = server.submit(REPORT)
    progress = str(server.data / "rebuild.progress")
    done = server.socorro("reprocess", "--stored", "--missing", "--resume", progress)
    assert done.returncode == 0, done.stderr
    assert not Path(progress).exists()

    for crash_id in crash_ids:
        after = server.wait_for_crash(crash_id, 120)
        assert content(after) == content(before[crash_id])
        day = f"20{crash_id[-6:]}"
        exported = server.data / "telemetry/v1/crash_report" / day / crash_id[:3] / crash_id
        wait_until("the crash is exported", exported.is_file)
    server.wait_for_crash(fresh, 120)
    wait_until("all are found", lambda: found(server, [*crash_ids, fresh]))
    again = server.socorro("reprocess", "--stored", "--missing")
    assert again.stdout.startswith("0 crashes are queued"), again.stderr


def test_the_index_comes_back_from_processed_crashes(server: Server) -> None:
    server.start()
    crash_ids = [server.submit({**REPORT, "BuildID": f"2026{n}"}) for n in range(3)]
    for crash_id in crash_ids:
        server.wait_for_crash(crash_id, 120)
    wait_until("all are found", lambda: found(server, crash_ids))
    lose(server, "search")
    assert not found(server, crash_ids)
    fresh = server.submit(REPORT)
    server.wait_for_crash(fresh, 120)

    done = server.socorro("reindex")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "4 crashes are indexed; 0 are not processed yet.\n"
    assert found(server, [*crash_ids, fresh])
    missing = server.socorro("reindex", "--missing")
    assert missing.stdout.endswith("; 4 were in the index already.\n"), missing.stderr
