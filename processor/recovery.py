# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Second chances: crashes that were processed while no stackwalker could be had."""

import logging
from datetime import UTC, datetime

from processor.rules.stackwalk import NO_STACKWALKER
from socorro.queue import CrashQueue, QueueName, Task
from socorro.search import DateRange, Filter, Operator, Query, SearchIndex
from socorro.search.query import MAX_RESULTS, MAX_SPAN, MAX_WINDOW, Sort

logger = logging.getLogger(__name__)


def requeue_unwalked(index: SearchIndex, queue: CrashQueue) -> int:
    """Queue the crashes that wait for a stack walk for reprocessing; return how many.

    Asking twice is harmless: a task that already waits is not doubled.
    """
    crash_ids: list[str] = []
    for offset in range(0, MAX_WINDOW, MAX_RESULTS):
        result = index.search(_query(offset))
        crash_ids += [str(hit["uuid"]) for hit in result.hits]
        if len(result.hits) < MAX_RESULTS:
            break
    if crash_ids:
        logger.info("queueing %s crashes that were processed without a stackwalker", len(crash_ids))
        queue.publish(QueueName.REPROCESSING, [Task(crash_id) for crash_id in crash_ids])
    return len(crash_ids)


def _query(offset: int) -> Query:
    return Query(
        dates=DateRange.last(MAX_SPAN, datetime.now(UTC)),
        filters=(Filter("mdsw_status_string", Operator.IS, (NO_STACKWALKER,)),),
        columns=("uuid",),
        sort=(Sort("date", descending=True),),
        number=MAX_RESULTS,
        offset=offset,
    )
