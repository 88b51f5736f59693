# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The index can be filled from processed storage."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from socorro.search import DateRange, Query, open_index
from socorro.search.rebuild import Rebuilt, last_days, rebuild
from socorro.storage import CrashReport, CrashStorage, open_storage

DAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def storage(tmp_path: Path) -> CrashStorage:
    """A storage with three crashes of two days, one of them not processed."""
    storage = open_storage(f"fs://{tmp_path}/crashes")
    for number, (day, processed) in enumerate([(20, True), (20, False), (19, True)]):
        crash_id = f"{number:08x}-0000-0000-0000-0000002611{day}"
        storage.save_raw_crash(CrashReport(crash_id, {"uuid": crash_id}))
        if processed:
            moment = DAY.replace(day=day).isoformat()
            storage.save_processed_crash(
                crash_id, {"uuid": "claims to be another", "date_processed": moment}
            )
    return storage


def test_processed_crashes_of_the_days_become_searchable(
    storage: CrashStorage, tmp_path: Path
) -> None:
    index = open_index(f"embedded://{tmp_path}/search")
    seen: list[tuple[date, Rebuilt]] = []
    days = last_days(3, today=DAY.date())
    for _ in range(2):  # doing it again changes nothing
        result = rebuild(storage, storage, index, days, lambda day, sums: seen.append((day, sums)))
        assert result == Rebuilt(indexed=2, unprocessed=1)
    found = index.search(Query(DateRange(DAY - timedelta(days=7), DAY)))
    assert [hit["uuid"] for hit in found.hits] == [
        "00000000-0000-0000-0000-000000261120",
        "00000002-0000-0000-0000-000000261119",
    ]
    assert seen[:3] == [
        (date(2026, 11, 20), Rebuilt(1, 1)),
        (date(2026, 11, 19), Rebuilt(2, 1)),
        (date(2026, 11, 18), Rebuilt(2, 1)),
    ]


def test_the_last_days_end_today() -> None:
    assert last_days(2)[0] == datetime.now(UTC).date()
    assert len(last_days()) == 180
