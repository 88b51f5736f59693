# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signature lists change, and the stored crashes follow."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from socorro.crash_id import make_crash_id
from tests.e2e.server import Server, wait_until

DUMP = Path(__file__).parents[2] / "samples" / "minidumps" / "test.dmp"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    return folder


def get(server: Server, path: str) -> str:
    return requests.get(f"{server.webapp}{path}", timeout=30).text


def test_regenerated_signatures_are_stored_searched_and_shown(server: Server, lists: Path) -> None:
    server.settings = {"SIGLISTS": str(lists)}
    server.start()
    crash_id = server.submit({"ProductName": "DemoApp", "Version": "1.0"}, DUMP)
    before = server.wait_for_crash(crash_id, 120)
    old = before["signature"]
    assert " | " not in old

    (lists / "prefix_signature_re.txt").write_text(".\n")
    assert server.stop() == 0
    server.start()
    page = get(server, f"/report/signature/{crash_id}")
    assert "With the lists of today it would be" in page

    unprocessed = make_crash_id(datetime.now(UTC))
    queued = server.socorro("reprocess", "--ruleset", "regenerate_signature", crash_id, unprocessed)
    assert queued.returncode == 0, queued.stderr
    assert "2 crashes are queued in reprocessing" in queued.stdout

    def renamed() -> dict[str, Any] | None:
        processed = server.processed_crash(crash_id)
        return processed if processed and processed["signature"] != old else None

    after = wait_until("the crash has its new signature", renamed)
    assert after["signature"].startswith(f"{old} | ")
    assert after["processor_history"] == [before["processor_notes"]]
    changing = {
        "completed_datetime", "processor_history", "processor_notes", "signature",
        "started_datetime",
    }  # fmt: skip
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }

    parameters = {"signature": f"={after['signature']}"}
    wait_until(
        "the search finds it by its new signature",
        lambda: (
            crash_id in requests.get(f"{server.webapp}/search/", params=parameters, timeout=30).text
        ),
    )
    gone = requests.get(f"{server.webapp}/search/", params={"signature": f"={old}"}, timeout=30)
    assert f"/report/index/{crash_id}" not in gone.text
    assert "The lists of today give the same signature." in get(
        server, f"/report/signature/{crash_id}"
    )

    # What never was processed leaves the queue as a dead letter, and nothing is stored for it.
    wait_until("the other one is buried", lambda: _reprocessing(server) == ["0", "0", "0", "1"])
    assert server.processed_crash(unprocessed) is None
    assert "buried: ruleset regenerate_signature needs a processed crash" in server.log.read_text()


def _reprocessing(server: Server) -> list[str]:
    lines = server.socorro("queue").stdout.splitlines()
    return next(line.split()[1:] for line in lines if line.startswith("reprocessing"))
