# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The jobs, one line each: what runs, how often, and what it is for."""

from datetime import timedelta

from cron.job import JobSpec
from cron.jobs.clean_log import clean_log
from cron.jobs.requeue_missing import RecentDays, sweep_days

JOBS: tuple[JobSpec, ...] = (
    JobSpec(
        "requeue_missing",
        timedelta(minutes=1),
        RecentDays(),
        "Queue recent raw crashes again that are neither processed nor queued.",
    ),
    JobSpec(
        "requeue_missing_sweep",
        timedelta(days=1),
        sweep_days,
        "The same for more days, trusting neither memory nor search index.",
    ),
    JobSpec(
        "clean_cron_log",
        timedelta(days=1),
        clean_log,
        "Delete old rows of the log of jobs and of the list of missing crashes.",
    ),
)
