# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Finds the crashes that missed symbols which are there now, and queues them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from socorro.queue import CrashQueue, QueueName, Task
from socorro.search import DateRange, Filter, Operator, Query, SearchIndex
from socorro.search.query import MAX_RESULTS, MAX_SPAN, MAX_WINDOW, Sort
from socorro.symbols.add import Stored


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
    for number, debug_id in enumerate(debug_ids, 1):
        for page in _missing(index, debug_id):
            new = [crash_id for crash_id in page if crash_id not in seen]
            seen.update(new)
            queue.publish(QueueName.REPROCESSING, [Task(crash_id) for crash_id in new])
        if progress:
            progress(number, len(debug_ids))
    return len(seen)


def _missing(index: SearchIndex, debug_id: str) -> Iterator[list[str]]:
    """Yield pages of the ids of crashes that miss the symbols of a debug id, newest first.

    A search reaches some thousand crashes deep; from there on, the next one starts at the date
    of the oldest crash so far.
    """
    now = datetime.now(UTC)
    start, end, offset = now - MAX_SPAN, now, 0
    while True:
        result = index.search(_query(debug_id, DateRange(start, end), offset))
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


def _query(debug_id: str, dates: DateRange, offset: int) -> Query:
    # The index holds these entries in lower case.
    missing = Filter("missing_symbols", Operator.CONTAINS, (debug_id.lower(),))
    return Query(
        dates=dates,
        filters=(missing,),
        columns=("uuid", "date"),
        sort=(Sort("date", descending=True),),
        number=MAX_RESULTS,
        offset=offset,
    )


def _date(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
