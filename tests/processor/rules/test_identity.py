# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Identifiers and what the collector said."""

from processor.rules.identity import CollectorMetadata, CrashReportKeys, Identifiers
from tests.processor.conftest import CRASH_ID, MakeCrash


def test_the_id_is_the_one_of_the_task(make_crash: MakeCrash) -> None:
    assert Identifiers().act(make_crash(uuid="other")) == {"crash_id": CRASH_ID, "uuid": CRASH_ID}


def test_odd_names_are_cut_and_noted(make_crash: MakeCrash) -> None:
    crash = make_crash(**{"Good-1_x": "", "bad name<": "", "l" * 200: "", "!": ""})
    assert CrashReportKeys().act(crash) == {
        "crash_report_keys": ["Good-1_x", "badname", "l" * 100],
    }
    assert crash.notes == ["invalidkeys: Crash report contains invalid keys"]


def test_the_checksum_of_the_minidump_is_the_collectors(make_crash: MakeCrash) -> None:
    metadata = {"dump_checksums": {"upload_file_minidump": "abc"}, "payload": "json"}
    fields = CollectorMetadata().act(make_crash(metadata=metadata))
    assert fields == {"collector_metadata": metadata, "minidump_sha256_hash": "abc"}


def test_broken_metadata_does_no_harm(make_crash: MakeCrash) -> None:
    for metadata in (None, "x", [], {"dump_checksums": "x"}):
        assert CollectorMetadata().act(make_crash(metadata=metadata))["minidump_sha256_hash"] == ""
