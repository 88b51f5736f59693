# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The benchmark of the collector compares servers that do the same work."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bench.collector.reports import Load, loads, minidump
from bench.collector.servers import COLLECTOR, NECESSARY, running_servers

LOADS = loads()
# What the collector adds to the annotations, and the baseline in its place.
OWN_KEYS = {"uuid", "metadata", "submitted_timestamp", "version", "sha256"}


def stored(folder: Path) -> list[tuple[dict[str, Any], list[str], bytes]]:
    """Return annotations, dump names and dump of each report below a folder of crash storage."""
    reports = []
    for path in (folder / "v1" / "raw_crash").glob("*/*/*"):
        crash_id = path.relative_to(folder / "v1" / "raw_crash")
        raw_crash = json.loads(path.read_bytes())
        annotations = {name: raw_crash[name] for name in raw_crash.keys() - OWN_KEYS}
        names = json.loads((folder / "v1" / "dump_names" / crash_id).read_bytes())
        reports.append((annotations, names, (folder / "v1" / "dump" / crash_id).read_bytes()))
    return sorted(reports, key=lambda report: sorted(report[0].items()))


def queued(database: Path) -> int:
    connection = sqlite3.connect(database)
    (count,) = connection.execute("SELECT count(*) FROM message").fetchone()
    connection.close()
    return int(count)


def test_collector_and_baseline_keep_the_same(tmp_path: Path) -> None:
    with running_servers(str(tmp_path), (COLLECTOR, NECESSARY)) as servers:
        for load in LOADS:
            request = load.request()
            for server in servers.values():
                server.post(request)
    collected, necessary = stored(tmp_path / "0" / "crashes"), stored(tmp_path / "1")
    assert len(collected) == len(LOADS)
    assert collected == necessary
    assert all(dump == minidump() for _, _, dump in collected)
    assert queued(tmp_path / "0" / "queue" / "queue.db") == queued(tmp_path / "1" / "queue.db")


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_reports_are_of_the_sizes_that_are_said(load: Load) -> None:
    body = load.request().body
    plain = gzip.decompress(body) if load.compressed else body
    assert plain.count(minidump()) == 1
    assert len(minidump()) == 400_000
    # Headers of the parts, and escapes of JSON, come on top of 10 kB of names and values.
    assert 10_000 < len(plain) - 400_000 < 18_000


def test_each_report_is_another_one() -> None:
    for load in LOADS:
        assert load.request().body != load.request().body
