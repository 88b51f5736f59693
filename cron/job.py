# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a job is, and what its function is given."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from socorro.settings import Settings


class JobStopped(Exception):
    """The job was asked to stop before its end. It is due again at once, and has not failed."""


@dataclass(frozen=True)
class JobRun:
    """One run of a job.

    `now` is the time of its start and `last_success` the start of the last run that succeeded,
    both aware UTC. `should_stop` turns true when cronrun ends or loses its lease.
    """

    settings: Settings
    now: datetime
    last_success: datetime | None
    should_stop: Callable[[], bool]

    def check(self) -> None:
        """Raise JobStopped if the job should end: to be called between two units of work."""
        if self.should_stop():
            raise JobStopped


@dataclass(frozen=True)
class JobSpec:
    """A job of the registry: `run` is called at most every `frequency`.

    It may raise anything: that is a failure, and is tried again later, so a job has to stand
    being repeated. `doc` is one sentence for operators.
    """

    name: str
    frequency: timedelta
    run: Callable[[JobRun], None]
    doc: str
