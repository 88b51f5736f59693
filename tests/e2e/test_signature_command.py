# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A change of the lists is tried on the crashes of an installation, before it is made."""

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.server import Server, wait_until

DUMP = Path(__file__).parents[2] / "samples" / "minidumps" / "test.dmp"
UNKNOWN = "0bba929f-8721-460c-8e70-a43c95261101"


def test_a_change_of_the_lists_is_tried_on_the_latest_crashes(
    server: Server, tmp_path: Path
) -> None:
    server.start()
    ids = [
        server.submit({"ProductName": product, "Version": "1.0"}, DUMP)
        for product in ("DemoApp", "DemoApp", "Other")
    ]
    stored = server.wait_for_crash(ids[0], 120)["signature"]
    wait_until(
        "all crashes are found",
        lambda: server.socorro("signature", "--last", "9").stdout.count(": same") == 3,
    )

    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "prefix_signature_re.txt").write_text(".\n")
    tried = server.socorro(
        "signature", "--last", "9", "--product", "DemoApp", "--siglists", str(lists),
        "--changes", "--format", "json",
    )  # fmt: skip
    assert tried.returncode == 0, tried.stderr
    summary = json.loads(tried.stdout)
    ((renamed,),) = summary["renamed"]
    assert (summary["crashes"], summary["unchanged"], renamed["crashes"]) == (2, 0, 2)
    assert renamed["old"] == stored
    assert renamed["new"].startswith(f"{stored} | ")
    assert renamed["example"] in ids

    # What was tried has changed nothing.
    again = server.socorro("signature", "--different-only", *ids)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_crash_of_a_server_is_signed_from_elsewhere(server: Server) -> None:
    server.start()
    crash_id = server.submit({"ProductName": "DemoApp", "Version": "1.0"}, DUMP)
    stored = server.wait_for_crash(crash_id, 120)["signature"]
    given = f"# two\nbp-{crash_id}\n\n{UNKNOWN}\n"
    signed = subprocess.run(
        [sys.executable, "-m", "socorro.signature", "--server", server.webapp, "--format", "json"],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (answer,) = json.loads(signed.stdout)
    assert (answer["crash"], answer["old"], answer["same"]) == (crash_id, stored, True)
    assert signed.stderr == f"{UNKNOWN}: the server has no such processed crash\n"
    assert signed.returncode == 1


def test_an_engine_that_is_away_is_one_sentence(server: Server) -> None:
    server.settings = {"PROCESSED_STORAGE": "s3://nowhere?endpoint=http://127.0.0.1:9&region=x"}
    signed = server.socorro("signature", UNKNOWN)
    assert signed.returncode == 69
    assert len(signed.stderr.strip().splitlines()) == 1
