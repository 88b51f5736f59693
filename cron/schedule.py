# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""When a job is due, and when it is due again."""

from datetime import datetime, timedelta

from cron.job import JobSpec
from cron.models import Job

_FIRST_RETRY = timedelta(minutes=1)
_LAST_RETRY = timedelta(hours=1)
# A job gets this share of the time at most: one whose runs grow long is run less often.
_DUTY = 0.1


def is_due(job: Job, now: datetime) -> bool:
    """Say whether a job should run now.

    A last run that lies ahead was written before the clock was set back; the next run is then as
    wrong, and waiting for it could take years.
    """
    if job.next_run is None or job.next_run <= now:
        return True
    return job.last_run is not None and job.last_run > now


def after_success(spec: JobSpec, started: datetime, ended: datetime) -> datetime:
    """Return the next run of a job that succeeded: its frequency later, more if it takes long."""
    least = (ended - started) * (1 / _DUTY)
    return started + max(spec.frequency, least)


def after_failure(spec: JobSpec, error_count: int, ended: datetime) -> datetime:
    """Return the next run of a job that failed `error_count` times in a row.

    One minute after the first failure, twice as long after each further one, at most an hour;
    but never later than a success would have it.
    """
    wait = _FIRST_RETRY * (1 << min(error_count - 1, 10))
    return ended + min(wait, _LAST_RETRY, max(spec.frequency, _FIRST_RETRY))
