# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``socorro cronrun``: the loop, one round of it, or one job."""

import logging
import time
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from django.db import Error

from socorro.logging import set_up_logging
from socorro.metrics import set_up_metrics
from socorro.sentry import set_up_sentry
from socorro.settings import load
from socorro.stopping import stop_on_signals
from webapp.database import reason_of
from webapp.limits import limit_statements
from webapp.prepare import check_database

if TYPE_CHECKING:
    from cron.job import JobSpec
    from cron.models import Job
    from cron.runner import Runner

logger = logging.getLogger(__name__)

# Longer than a lease: one whose holder was killed is free by then.
_WAIT_FOR_OTHERS_SECONDS = 60.0
_POLL_SECONDS = 0.5
# Jobs may delete many rows at once.
_STATEMENT_SECONDS = 60.0


def main(once: bool = False, job: str | None = None) -> int:
    """Run the jobs that are due for ever, or one round (`once`), or one `job` now.

    Returns the exit status: 1 if a job failed that was asked for, or other processes kept running
    jobs, or the database went away; 2 for an unknown job. Raises SettingError.
    """
    settings = load()
    set_up_logging(settings, "cronrun")
    set_up_metrics(settings)
    set_up_sentry(settings, "cronrun")
    check_database()
    limit_statements(_STATEMENT_SECONDS)
    # SIGTERM and SIGINT: the job that runs then ends at its next step.
    stopping = stop_on_signals()
    # Models can be imported only now: checking the database has set Django up.
    from cron.jobs import JOBS
    from cron.runner import Runner

    runner = Runner(settings, JOBS)
    if job is None and not once:
        runner.run_forever(stopping)
        return 0
    spec = next((spec for spec in JOBS if spec.name == job), None)
    if job is not None and spec is None:
        names = ", ".join(spec.name for spec in JOBS)
        logger.error("there is no job %r; there are: %s", job, names)
        return 2
    try:
        return _run_once(runner, spec, stopping)
    except Error as error:
        logger.error("the database cannot be used: %s", reason_of(error))
        return 1


def list_jobs() -> str:
    """Return one line for each job: its name, rhythm and state, and what it is for.

    Raises SettingError.
    """
    check_database()
    from cron.jobs import JOBS
    from cron.models import Job

    states = {state.app_name: state for state in Job.objects.all()}
    lines = [_line(spec, states.get(spec.name) or Job(app_name=spec.name)) for spec in JOBS]
    return "\n".join(lines)


def _line(spec: "JobSpec", state: "Job") -> str:
    minutes = spec.frequency.total_seconds() / 60
    columns = [
        f"{spec.name:<22} every {minutes:g} min",
        f"last success {_time(state.last_success)}",
        f"next run {_time(state.next_run)}",
    ]
    if state.error_count:
        columns.append(f"failed {state.error_count} times: {state.last_error[:200]}")
    return "  ".join(columns) + f"\n    {spec.doc}"


def _time(time: "datetime | None") -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else "never"


def _run_once(runner: "Runner", spec: "JobSpec | None", stopping: Event) -> int:
    """Run a round or a job, waiting a while for other processes that are running jobs."""
    deadline = time.monotonic() + _WAIT_FOR_OTHERS_SECONDS
    while not stopping.is_set():
        done = runner.run_due(stopping) or None if spec is None else runner.run_job(spec, stopping)
        if done is not None:
            return 0 if done else 1
        if time.monotonic() > deadline:
            logger.error("another process is still running jobs; try again later")
            return 1
        stopping.wait(_POLL_SECONDS)
    return 1
