# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Hands crashes on, batch by batch."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from socorro.queue import Task
from socorro.reprocessing.destination import Destination
from socorro.reprocessing.pace import Pace

_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Manner:
    """How crashes are handed on: by which ruleset, how fast, and into how full a queue.

    With `most_waiting` no more than so many crashes wait in the queue at any time.
    """

    ruleset: str
    pace: Pace
    most_waiting: int | None = None


def send(
    crash_ids: Iterable[str],
    destination: Destination,
    manner: Manner,
    sent: Callable[[list[str]], None],
) -> None:
    """Hand crashes on; `sent` is called with each batch that is kept. Raises QueueUnavailable."""
    size = manner.pace.batch(destination.batch)
    if manner.most_waiting is not None:
        size = min(size, manner.most_waiting)
    for batch in _batches(crash_ids, size):
        manner.pace.wait(len(batch))
        if manner.most_waiting is not None:
            _wait_for_room(destination, manner.most_waiting - len(batch))
        destination.publish([Task(crash_id, manner.ruleset) for crash_id in batch])
        sent(batch)


def _wait_for_room(destination: Destination, most: int) -> None:
    while destination.waiting() > most:
        time.sleep(_LOOK_SECONDS)


def _batches(crash_ids: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(crash_ids)
    while batch := list(islice(iterator, size)):
        yield batch
