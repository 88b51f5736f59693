# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Finds the crashes that missed symbols which are there now, and queues them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from socorro.queue import CrashQueue, QueueName, Task
from socorro.search import DateRange, Filter, Operator, Query, SearchIndex
from socorro.search.query import MAX_RESULTS, MAX_SPAN, MAX_WINDOW, Sort
from socorro.symbols.add import Stored

_IDS_PER_QUERY = 25


def requeue_missing_symbols(
    added: Iterable[Stored],
    index: SearchIndex,
    queue: CrashQueue,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Queue the crashes of the last year that missed these symbols for reprocessing.

    Returns their number. `progress` is called with the number of debug ids looked up and of all.
    Doing it twice is harmless: a crash that got its symbols does not miss them any more. Raises
    SearchUnavailable and QueueUnavailable.
    """
    debug_ids = sorted({stored.module.debug_id for stored in added})
    seen: set[str] = set()
    for start in range(0, len(debug_ids), _IDS_PER_QUERY):
        batch = debug_ids[start : start + _IDS_PER_QUERY]
        for page in _missing(index, batch):
            new = [crash_id for crash_id in page if crash_id not in seen]
            seen.update(new)
            queue.publish(QueueName.REPROCESSING, [Task(crash_id) for crash_id in new])
        if progress:
            progress(start + len(batch), len(debug_ids))
    return len(seen)


def _missing(index: SearchIndex, debug_ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield pages of the ids of crashes that miss symbols of any of the debug ids, newest first.

    A search reaches some thousand crashes deep; from there on, the next one starts at the date
    of the oldest crash so far.
    """
    now = datetime.now(UTC)
    start, end, offset = now - MAX_SPAN, now, 0
    while True:
        result = index.search(_query(debug_ids, DateRange(start, end), offset))
        if result.hits:
            yield [str(hit["uuid"]) for hit in result.hits]
        if len(result.hits) < MAX_RESULTS:
            return
        offset += MAX_RESULTS
        if offset + MAX_RESULTS > MAX_WINDOW:
            oldest = _date(result.hits[-1]["date"])
            if oldest >= end:
                return
            end, offset = oldest, 0


def _query(debug_ids: Sequence[str], dates: DateRange, offset: int) -> Query:
    return Query(
        dates=dates,
        # Of several conditions on one field any may hold. The index has the entries in lower case.
        filters=tuple(
            Filter("missing_symbols", Operator.CONTAINS, (debug_id.lower(),))
            for debug_id in debug_ids
        ),
        columns=("uuid", "date"),
        sort=(Sort("date", descending=True),),
        number=MAX_RESULTS,
        offset=offset,
    )


def _date(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
