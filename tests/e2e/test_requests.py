# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How many requests to S3 and SQS a crash costs, counted on the wire, as the docs state them."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from socorro.packaged import SAMPLES
from tests.e2e.fleet import Fleet, made_fleet
from tests.e2e.server import wait_until
from tests.servers import CountingProxy, PostgresServer, Recorded, S3Server, SqsServer

pytestmark = pytest.mark.e2e

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operator" / "growing.md"
DUMP = SAMPLES / "crashes" / "dumps" / "threads.dmp"
_ROW = re.compile(r"^\| (collector|processor) \| `(\S+ ?\S*)` \| (\d+) \|", re.MULTILINE)


@dataclass
class Wires:
    """A fleet whose requests to S3 and SQS pass through proxies that count them."""

    fleet: Fleet
    s3: CountingProxy
    sqs: CountingProxy


@pytest.fixture
def wires(
    tmp_path: Path,
    s3_server: S3Server,
    sqs_server: SqsServer,
    postgres_server: PostgresServer,
    stackwalker_binary: Path,
) -> Iterator[Wires]:
    fleet = made_fleet(tmp_path, s3_server, sqs_server, postgres_server)
    with CountingProxy(s3_server.endpoint) as s3, CountingProxy(sqs_server.endpoint) as sqs:
        through = {s3_server.endpoint: s3.endpoint, sqs_server.endpoint: sqs.endpoint}
        settings = dict(fleet.settings)
        for name in ("CRASH_STORAGE", "TELEMETRY_STORAGE", "CRASH_QUEUE"):
            for direct, proxied in through.items():
                settings[name] = settings[name].replace(direct, proxied)
        fleet.settings = settings
        yield Wires(fleet, s3, sqs)
        fleet.kill()


def stated(room: str) -> Counter[str]:
    """Return the requests of a room for one crash with two minidumps, as the docs state them."""
    rows = _ROW.findall(DOCS.read_text())
    return Counter({request: int(count) for row, request, count in rows if row == room})


def test_a_crash_costs_the_requests_that_the_docs_state(wires: Wires) -> None:
    crash_id = collected(wires)
    assert of_crash(wires.s3, crash_id) + actions(wires.sqs) == stated("collector")
    puts = [request.path for request in wires.s3.requests]
    assert puts[-1].endswith(f"/v1/raw_crash/20{crash_id[-6:]}/{crash_id}")
    assert len(puts) == 4

    wires.s3.clear()
    wires.sqs.clear()
    wires.fleet.start(["processor"])
    wait_until("the message is settled", lambda: actions(wires.sqs)["DeleteMessage"] > 0)
    wires.fleet.stop_one("processor")
    measured = of_crash(wires.s3, crash_id) + actions(wires.sqs)
    # An idle processor goes on asking; the crash itself came with one answer.
    del measured["ReceiveMessage"]
    assert measured == stated("processor")
    assert not [request for request in wires.s3.requests if is_list(request)]


def collected(wires: Wires) -> str:
    """Send a report with two minidumps; the requests of it alone are recorded then."""
    wires.fleet.start_one("collector")
    wait_until(
        "the collector is ready", lambda: _answers(f"{wires.fleet.collector}/__lbheartbeat__")
    )
    wires.s3.clear()
    wires.sqs.clear()
    dump = DUMP.read_bytes()
    files = {
        "upload_file_minidump": ("a.dmp", dump, "application/octet-stream"),
        "upload_file_minidump_browser": ("b.dmp", dump, "application/octet-stream"),
    }
    data = {"ProductName": "DemoApp", "Version": "1.0"}
    answer = requests.post(f"{wires.fleet.collector}/submit", data=data, files=files, timeout=30)
    assert answer.text.startswith("CrashID=bp-"), answer.text
    assert not [request for request in wires.s3.requests if is_list(request)]
    return answer.text.strip().removeprefix("CrashID=bp-")


def of_crash(proxy: CountingProxy, crash_id: str) -> Counter[str]:
    """Return method and kind of each request for an object of the crash."""
    return Counter(
        f"{request.method} {request.path.split('/')[3]}"
        for request in proxy.requests
        if crash_id in request.path
    )


def actions(proxy: CountingProxy) -> Counter[str]:
    """Return the requests for messages; looking up a queue is done once for each process."""
    messages = ("SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage",
                "ChangeMessageVisibility")  # fmt: skip
    return Counter(request.action for request in proxy.requests if request.action in messages)


def is_list(request: Recorded) -> bool:
    return request.method == "GET" and "list-type" in request.query


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).status_code == 200
    except requests.RequestException:
        return False
