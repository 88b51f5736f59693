# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A report that is sent again because its answer was lost is noted as a duplicate."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.app import CollectorApp
from collector.duplicates import Duplicates
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Call, annotation, call, dump, multipart

GUID = "6a3ba0a5-8bd4-4a4f-a1b8-6b2f6e0a77aa"
SHA = "ab" * 32
ID = "0b5ba6dc-64ee-4d1e-8f1c-3c0f50261123"
OTHER = "1b5ba6dc-64ee-4d1e-8f1c-3c0f50261123"
NOW = datetime.now(UTC)


@pytest.fixture
def duplicates(tmp_path: Path) -> Duplicates:
    return Duplicates(tmp_path / "recent")


def notes_of(storage: FilesystemStorage, crash_id: str) -> list[str]:
    notes: list[str] = storage.load_raw_crash(crash_id)["metadata"]["collector_notes"]
    return notes


def report(minidump: bytes = b"MDMP", **annotations: str) -> bytes:
    fields = [annotation(name, value) for name, value in annotations.items()]
    return multipart(*fields, dump("upload_file_minidump", minidump))


def test_a_report_sent_again_gets_its_own_id_and_a_note(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    first = call(app, Call(report(guid=GUID))).crash_id
    second = call(app, Call(report(guid=GUID, attempt="2"))).crash_id
    assert first != second
    assert notes_of(storage, first) == []
    assert notes_of(storage, second) == [f"duplicate of {first}, which the client sent before"]


@pytest.mark.parametrize(
    "again",
    [
        report(b"another dump", guid=GUID),
        report(guid=GUID.replace("6", "7")),
        report(A="b"),
        multipart(annotation("guid", GUID)),
    ],
    ids=["another dump", "another guid", "no guid", "no dump"],
)
def test_another_report_gets_no_note(
    app: CollectorApp, storage: FilesystemStorage, again: bytes
) -> None:
    call(app, Call(report(guid=GUID)))
    assert notes_of(storage, call(app, Call(again)).crash_id) == []


@pytest.mark.parametrize(
    "guid", ["0", "", "00000000-0000-0000-0000-000000000000", "../../etc/passwd", "x" * 10_000]
)
def test_what_is_no_uuid_means_nothing(
    app: CollectorApp, storage: FilesystemStorage, settings: Any, guid: str
) -> None:
    for _ in range(2):
        assert notes_of(storage, call(app, Call(report(guid=guid))).crash_id) == []
    assert not settings.recent_reports.exists()


def test_a_refused_report_is_not_remembered(app: CollectorApp, settings: Any) -> None:
    assert call(app, Call(report(guid=GUID)[:-20])).status == 400
    assert not settings.recent_reports.exists()


def test_the_memory_lasts_a_day(duplicates: Duplicates) -> None:
    duplicates.remember(GUID, SHA, ID, NOW)
    assert duplicates.earlier(GUID, SHA, NOW + timedelta(hours=23)) == ID
    assert duplicates.earlier(GUID, SHA, NOW + timedelta(hours=25)) is None


def test_the_last_of_several_is_the_one_that_is_named(duplicates: Duplicates) -> None:
    duplicates.remember(GUID, SHA, ID, NOW)
    duplicates.remember(GUID, SHA, OTHER, NOW)
    assert duplicates.earlier(GUID, SHA, NOW) == OTHER


def test_case_and_braces_make_no_other_guid(duplicates: Duplicates) -> None:
    duplicates.remember(GUID, SHA, ID, NOW)
    assert duplicates.earlier(f"{{{GUID.upper()}}}", SHA, NOW) == ID


def test_another_process_knows_it_too(tmp_path: Path, duplicates: Duplicates) -> None:
    duplicates.remember(GUID, SHA, ID, NOW)
    assert Duplicates(tmp_path / "recent").earlier(GUID, SHA, NOW) == ID


def test_what_is_older_than_a_day_is_removed(tmp_path: Path, duplicates: Duplicates) -> None:
    duplicates.remember(GUID, SHA, ID, NOW - timedelta(days=2))
    duplicates.remember(GUID, "cd" * 32, ID, NOW)
    days = [folder.name for folder in (tmp_path / "recent").iterdir()]
    assert days == [f"{NOW:%Y%m%d}"]


@pytest.mark.parametrize("broken", [Path.touch, lambda path: path.symlink_to("nowhere")])
def test_a_folder_that_cannot_be_used_costs_no_report(
    tmp_path: Path, duplicates: Duplicates, broken: Callable[[Path], None]
) -> None:
    broken(tmp_path / "recent")
    duplicates.remember(GUID, SHA, ID, NOW)
    assert duplicates.earlier(GUID, SHA, NOW) is None


def test_a_link_that_somebody_else_made_is_not_believed(
    tmp_path: Path, duplicates: Duplicates
) -> None:
    duplicates.remember(GUID, SHA, ID, NOW)
    (link,) = (tmp_path / "recent").glob("*/*")
    link.unlink()
    link.symlink_to("/etc/passwd")
    assert duplicates.earlier(GUID, SHA, NOW) is None


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text())))
def test_whatever_a_client_calls_guid_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, guid: Any
) -> None:
    duplicates = Duplicates(tmp_path_factory.getbasetemp() / "any")
    duplicates.remember(guid, SHA, ID, NOW)
    assert duplicates.earlier(guid, SHA, NOW) is None
