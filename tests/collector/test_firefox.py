# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash reporter of Firefox, the first client, gets through and gets the answers it reads."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import collector.throttling
from tests.collector.firefox_client import ANNOTATIONS, FirefoxReading, FirefoxReport, read_answer
from tests.collector.raw_http import CollectorServer

MOZILLA = Path(collector.throttling.__file__).parent / "mozilla.yaml"
REMOVED = {"TelemetryClientId", "TelemetryServerURL"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorServer]:
    server = CollectorServer(tmp_path_factory.mktemp("collector"), {"THROTTLE_RULES": str(MOZILLA)})
    server.start()
    yield server
    server.stop()


def send(server: CollectorServer, report: FirefoxReport) -> FirefoxReading:
    with server.connect() as connection:
        connection.send(report.request())
        answer = connection.answer()
        if answer.status == 100:
            answer = connection.answer()
        return read_answer(answer.status, answer.body)


def with_annotations(**changed: str | None) -> FirefoxReport:
    merged: Mapping[str, str | None] = {**ANNOTATIONS, **changed}
    return FirefoxReport({name: value for name, value in merged.items() if value is not None})


def test_a_report_is_taken_whole(server: CollectorServer, tmp_path: Path) -> None:
    report = FirefoxReport()
    reading = send(server, report)
    assert reading.is_done
    assert reading.crash_id is not None
    assert reading.crash_id.startswith("bp-")
    crash_id = reading.crash_id.removeprefix("bp-")
    stored = server.storage.load_raw_crash(crash_id)
    for name, value in ANNOTATIONS.items():
        assert (name not in stored) if name in REMOVED else (stored[name] == value)
    assert server.storage.load_dump_names(crash_id) == ["memory_report", "upload_file_minidump"]
    contents = {"upload_file_minidump": report.minidump, "memory_report": report.memory_report}
    for name, content in contents.items():
        assert content is not None
        assert server.storage.fetch_dump(crash_id, name, tmp_path).read_bytes() == content
        digest = hashlib.sha256(content).hexdigest()
        assert stored["metadata"]["dump_checksums"][name] == digest


def test_what_the_collector_says_about_it(server: CollectorServer) -> None:
    crash_id = (send(server, FirefoxReport()).crash_id or "").removeprefix("bp-")
    metadata = server.storage.load_raw_crash(crash_id)["metadata"]
    assert metadata["payload"] == "json"
    assert metadata["payload_compressed"] == "0"
    assert metadata["payload_size"] == len(FirefoxReport().body())
    assert metadata["user_agent"] == "crashreporter/1.0.0"
    assert metadata["throttle_rule"] == "is_nightly"
    # A memory report is what it says, and needs no note.
    assert metadata["collector_notes"] == [
        "Removed TelemetryClientId from raw crash.",
        "Removed TelemetryServerURL from raw crash.",
    ]


@pytest.mark.parametrize(
    ("report", "rule"),
    [
        (with_annotations(BuildID="20200101000000"), "has_old_buildid"),
        (with_annotations(ProductName="Icecat"), "unsupported_product"),
        (with_annotations(ProductName="Fenix"), "unsupported_packagename"),
        (with_annotations(HangID="1", ProcessType=None), "has_hangid_and_browser"),
    ],
)
def test_a_rejected_report_is_done_and_its_rule_is_named(
    server: CollectorServer, report: FirefoxReport, rule: str
) -> None:
    assert send(server, report) == FirefoxReading(None, f"rule_{rule}", is_done=True)


def test_a_malformed_report_is_refused_with_its_reason(server: CollectorServer) -> None:
    reading = send(server, FirefoxReport({}))
    assert (reading.crash_id, reading.discarded) == (None, "malformed_no_annotations")


def test_a_report_for_which_there_is_no_place_is_kept_by_the_client(
    tmp_path: Path,
) -> None:
    server = CollectorServer(tmp_path, {"RATE_LIMIT_PER_PRODUCT": "1/hour"})
    server.start()
    try:
        assert send(server, FirefoxReport()).is_done
        assert not send(server, FirefoxReport()).is_done
    finally:
        server.stop()


def test_the_fixture_is_flat_json_of_texts() -> None:
    assert all(isinstance(value, str) for value in json.loads(json.dumps(ANNOTATIONS)).values())
