# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Identifiers and what the collector said."""

from pathlib import Path

import pytest

from processor.rules.identity import CollectorMetadata, CrashReportKeys, Identifiers
from tests.processor.conftest import CRASH_ID, MakeCrash


def test_the_id_is_the_one_of_the_task(make_crash: MakeCrash) -> None:
    assert Identifiers().act(make_crash(uuid="other")) == {"crash_id": CRASH_ID, "uuid": CRASH_ID}


def test_the_keys_are_the_names_of_annotations_and_dumps(make_crash: MakeCrash) -> None:
    crash = make_crash(dumps={"upload_file_minidump": Path("x")}, Version="1", uuid="2")
    assert CrashReportKeys().act(crash) == {
        "crash_report_keys": ["Version", "upload_file_minidump", "uuid"]
    }
    assert crash.notes == []


@pytest.mark.parametrize("odd", ["bad name<", "!", "", "caf\u00e9", "new\nline", "newline\n"])
def test_a_key_of_odd_characters_is_left_out_and_noted(make_crash: MakeCrash, odd: str) -> None:
    crash = make_crash(**{"Good-1_x": "", odd: ""})
    assert CrashReportKeys().act(crash) == {"crash_report_keys": ["Good-1_x"]}
    assert crash.notes == ["invalidkeys: Crash report contains invalid keys"]


def test_long_keys_are_cut_and_noted(make_crash: MakeCrash) -> None:
    crash = make_crash(**{"l" * 100: "", "l" * 200: "", "m" * 101: ""})
    assert CrashReportKeys().act(crash) == {"crash_report_keys": ["l" * 100, "m" * 100]}
    assert crash.notes == ["invalidkeys: Crash report contains invalid keys"]


def test_the_checksum_of_the_minidump_is_the_collectors(make_crash: MakeCrash) -> None:
    metadata = {"dump_checksums": {"upload_file_minidump": "abc"}, "payload": "json"}
    fields = CollectorMetadata().act(make_crash(metadata=metadata))
    assert fields == {"collector_metadata": metadata, "minidump_sha256_hash": "abc"}


def test_broken_metadata_does_no_harm(make_crash: MakeCrash) -> None:
    odd = {"dump_checksums": {"upload_file_minidump": ["abc"]}}
    values: list[object] = [None, "x", [], {"dump_checksums": "x"}, odd]
    for metadata in values:
        assert CollectorMetadata().act(make_crash(metadata=metadata))["minidump_sha256_hash"] == ""
