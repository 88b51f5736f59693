# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The interface of the crash queue, its data and its errors."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from socorro.crash_id import InvalidCrashId, parse_crash_id

DEFAULT_RULESET = "default"
_RULESET = re.compile(r"[a-z][a-z0-9_]{0,60}")


class QueueUnavailable(Exception):
    """The queue cannot be read or written now; trying again later may help."""


class QueueMisconfigured(QueueUnavailable):
    """The queue's server answers, but not to these settings: no such queue, refused credentials."""


class InvalidTask(ValueError):
    """A message body is not ``<crash id>`` or ``<crash id>:<ruleset>``."""


class QueueName(StrEnum):
    """The three queues, in the order in which processors prefer them."""

    PRIORITY = "priority"
    STANDARD = "standard"
    REPROCESSING = "reprocessing"


@dataclass(frozen=True)
class Task:
    """What is to be done: process a crash by a ruleset."""

    crash_id: str
    ruleset: str = DEFAULT_RULESET

    @property
    def body(self) -> str:
        """The text of the message: the bare crash id, with ``:ruleset`` unless it is default."""
        default = self.ruleset == DEFAULT_RULESET
        return self.crash_id if default else f"{self.crash_id}:{self.ruleset}"

    @classmethod
    def parse(cls, body: str) -> "Task":
        """Return the task in a message body. Raises InvalidTask."""
        crash_id, _, ruleset = body.partition(":")
        ruleset = ruleset or DEFAULT_RULESET
        if not _RULESET.fullmatch(ruleset):
            raise InvalidTask(f"not a ruleset: {ruleset[:80]!r}")
        try:
            return cls(parse_crash_id(crash_id), ruleset)
        except InvalidCrashId as error:
            raise InvalidTask(str(error)) from error


@dataclass(frozen=True)
class Message:
    """A task taken from a queue under a lease.

    `attempts` counts the deliveries, this one included. `receipt` is the backend's own handle; a
    message whose lease ran out and that another receiver took has a new one.
    """

    task: Task
    queue: QueueName
    attempts: int
    receipt: str


@dataclass(frozen=True)
class QueueDepth:
    """Counts of one queue; exact in the local backend, approximate in others."""

    ready: int
    leased: int
    delayed: int
    dead: int


class CrashQueue(Protocol):
    """Three queues with leases: at least once, in about the order of arrival.

    All methods are safe in many threads and processes, and raise QueueUnavailable when the queue
    does not answer or refuses.
    """

    @property
    def engine(self) -> str:
        """Which engine this is, and where, in one line for people."""
        ...

    @property
    def opaque(self) -> bool:
        """Whether the queue cannot be asked which crashes it holds: then `holding` knows none."""
        ...

    def publish(self, queue: QueueName, tasks: Sequence[Task]) -> None:
        """Add tasks; when it returns, all of them are kept. One that already waits is not doubled
        where the backend can tell."""
        ...

    def receive(
        self, limit: int, *, wait: float, queues: Sequence[QueueName] = tuple(QueueName)
    ) -> list[Message]:
        """Take up to `limit` messages, looking into `queues` in that order; wait up to `wait`
        seconds for a first one. Each is leased, and comes back when its lease runs out."""
        ...

    def extend(self, message: Message) -> bool:
        """Renew the lease from now on; False if it was lost."""
        ...

    def acknowledge(self, message: Message) -> bool:
        """Remove a message whose results are saved; False if its lease was lost, in which case
        another receiver may be working on it."""
        ...

    def release(self, message: Message, *, delay: float = 0, attempted: bool = False) -> bool:
        """Give a message back, visible again after `delay` seconds; False if its lease was lost.

        `attempted` false takes back the delivery's count where the backend can: nothing was tried.
        """
        ...

    def bury(self, message: Message, reason: str) -> bool:
        """Move a message to the dead letters, for operators to see; False if the lease was lost."""
        ...

    def holding(self, crash_ids: Collection[str]) -> frozenset[str]:
        """Return those of the ids that wait, are leased or delayed in any queue.

        An `opaque` queue returns none: who asks needs an age limit besides.
        """
        ...

    def depth(self) -> dict[QueueName, QueueDepth]:
        """Return the counts of the three queues."""
        ...

    def verify(self) -> None:
        """Check that the queues work, as far as that can be told without a message.

        Raises QueueUnavailable.
        """
        ...

    def provision(self) -> None:
        """Make the queues unless they are there; those that are stay as they are."""
        ...

    def close(self) -> None:
        """Release connections; received messages that are not settled come back by their lease."""
        ...
