# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crashes in raw storage, which is what everything else can be made from again."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import islice

from socorro.crash_id import Throttle, date_of, throttle_of
from socorro.storage import CrashStorage

# Asking whether a crash is processed is a request in S3.
_THREADS = 8
_CHUNK = 400


@dataclass(frozen=True)
class Days:
    """From `oldest` to `newest`, both included; None leaves that end open."""

    oldest: date | None = None
    newest: date | None = None

    def of(self, storage: CrashStorage) -> list[date]:
        """Return the days that have reports, the newest first."""
        return [
            day
            for day in reversed(storage.list_days())
            if (self.oldest is None or day >= self.oldest)
            and (self.newest is None or day <= self.newest)
        ]


@dataclass(frozen=True)
class Wanted:
    """Which stored crashes are wanted, by whether they are processed.

    Deferred crashes (throttle digit 1) that nobody asked for are wanted only with `deferred`.
    """

    processed: bool = True
    unprocessed: bool = True
    deferred: bool = False

    def of(self, crash_ids: Iterable[str], storage: CrashStorage) -> Iterator[str]:
        """Yield those that are wanted; `storage` has the processed crashes."""
        crash_ids = iter(crash_ids)
        with ThreadPoolExecutor(_THREADS) as threads:
            while chunk := list(islice(crash_ids, _CHUNK)):
                answers = threads.map(self._test(storage), chunk)
                yield from (one for one, wanted in zip(chunk, answers, strict=True) if wanted)

    def _test(self, storage: CrashStorage) -> Callable[[str], bool]:
        def is_wanted(crash_id: str) -> bool:
            held_back = throttle_of(crash_id) == Throttle.DEFER and not self.deferred
            if self.processed and self.unprocessed and not held_back:
                return True
            if storage.has_processed_crash(crash_id):
                return self.processed
            return self.unprocessed and not held_back

        return is_wanted


def stored_crash_ids(storage: CrashStorage, days: Days, after: str | None = None) -> Iterator[str]:
    """Yield the ids of complete reports, day by day from the newest, sorted within a day.

    `after` is one that was yielded before: it goes on with the next. Raises StorageUnavailable.
    """
    last_day = date_of(after) if after else None
    for day in days.of(storage):
        if last_day is not None and day > last_day:
            continue
        for crash_id in storage.list_raw_crashes(day):
            if after is None or day != last_day or crash_id > after:
                yield crash_id
