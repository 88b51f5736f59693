# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Raw storage is walked, from anywhere, and some of its crashes are wanted."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.crash_id import date_of
from socorro.reprocessing.stored import Days, Wanted, stored_crash_ids
from socorro.storage import CrashReport, FilesystemStorage


def crash_id(number: int, day: int, throttle: int = 0) -> str:
    return f"{number:08x}-0000-0000-0000-00000{throttle}2611{day:02}"


# Newest day first, sorted within a day.
IDS = [crash_id(number, day) for day in (20, 19, 7) for number in (1, 2, 0xABC00001)]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> FilesystemStorage:
    storage = FilesystemStorage(tmp_path_factory.mktemp("crashes"))
    for each in reversed(IDS):
        storage.save_raw_crash(CrashReport(each, {}))
    return storage


def test_all_days_are_walked_the_newest_first(storage: FilesystemStorage) -> None:
    assert list(stored_crash_ids(storage, Days())) == IDS


def test_days_are_bounded_at_either_end(storage: FilesystemStorage) -> None:
    def days(oldest: int | None, newest: int | None) -> list[int]:
        bounds = [date(2026, 11, day) if day else None for day in (oldest, newest)]
        return [date_of(each).day for each in stored_crash_ids(storage, Days(*bounds))][::3]

    assert days(19, None) == [20, 19]
    assert days(None, 19) == [19, 7]
    assert days(8, 19) == [19]
    assert days(8, 18) == []


@given(place=st.integers(0, len(IDS) - 1))
def test_the_walk_goes_on_after_any_crash(storage: FilesystemStorage, place: int) -> None:
    assert list(stored_crash_ids(storage, Days(), IDS[place])) == IDS[place + 1 :]


def test_the_walk_goes_on_after_a_crash_that_is_deleted(storage: FilesystemStorage) -> None:
    assert list(stored_crash_ids(storage, Days(), crash_id(3, 19))) == IDS[5:]


def test_no_report_is_no_crash(tmp_path: Path) -> None:
    assert list(stored_crash_ids(FilesystemStorage(tmp_path / "none"), Days())) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), ["done", "open", "deferred done"]),
        (Wanted(deferred=True), ["done", "open", "deferred done", "deferred"]),
        (Wanted(processed=False), ["open"]),
        (Wanted(processed=False, deferred=True), ["open", "deferred"]),
        (Wanted(unprocessed=False), ["done", "deferred done"]),
    ],
)
def test_crashes_are_wanted_by_what_is_done_with_them(
    tmp_path: Path, wanted: Wanted, expected: list[str]
) -> None:
    storage = FilesystemStorage(tmp_path)
    named = {
        crash_id(1, 20): "done",
        crash_id(2, 20): "open",
        crash_id(3, 20, throttle=1): "deferred done",
        crash_id(4, 20, throttle=1): "deferred",
    }
    for each, name in named.items():
        storage.save_raw_crash(CrashReport(each, {}))
        if "done" in name:
            storage.save_processed_crash(each, {"uuid": each})
    assert [named[each] for each in wanted.of(named, storage)] == expected
