# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Runs the jobs that are due, one after another, under a lease that only one process holds."""

import logging
import os
import socket
import traceback
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event

from django.db import Error, close_old_connections

from cron import lease
from cron.job import JobRun, JobSpec, JobStopped
from cron.models import Job, Log, storable
from cron.schedule import after_failure, after_success, is_due
from socorro.metrics import METRICS
from socorro.sentry import report_error
from socorro.settings import Settings
from webapp.database import reason_of

logger = logging.getLogger(__name__)

_LEASE = "cronrun"
_TICK_SECONDS = 5.0
# A run that takes longer than this is worth a line in the log.
_LONG_SECONDS = 10.0
_MAX_ERROR = 10_000
_MAX_NAME = 200


class Interrupted(Exception):
    """The run was cut off: its process ended, or lost its lease or the database."""


class Runner:
    """Runs jobs for one process. `clock` returns the time, aware, instead of the real ones."""

    def __init__(
        self,
        settings: Settings,
        jobs: Sequence[JobSpec],
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._settings = settings
        self._jobs = tuple(jobs)
        self._clock = clock or lease.utc_now
        self._lease_clock: lease.Clock = clock or lease.database_now
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"

    def run_forever(self, stopping: Event) -> None:
        """Run what is due until `stopping` is set. Errors end a round, never the loop."""
        logger.info("cronrun looks after %d jobs", len(self._jobs))
        while not stopping.is_set():
            # A connection that broke is replaced.
            close_old_connections()
            try:
                self.run_due(stopping)
            except Error as error:
                logger.error(
                    "cronrun cannot use its database and tries again: %s", reason_of(error)
                )
            except Exception as error:
                logger.exception("a round of cronrun failed")
                report_error(error)
            stopping.wait(_TICK_SECONDS)

    def run_due(self, stopping: Event) -> bool:
        """Run every job that is due, once. False if another process is running jobs now."""
        if not self._due():
            return True
        with lease.held(_LEASE, self._holder, self._lease_clock) as holding:
            if holding is None:
                return False
            self._note_interrupted()
            for spec in self._due():
                if stopping.is_set() or holding.lost:
                    break
                self._run(spec, stopping, holding)
        return True

    def run_job(self, spec: JobSpec, stopping: Event) -> bool | None:
        """Run one job now, due or not: True if it succeeded.

        None if another process is running jobs now.
        """
        with lease.held(_LEASE, self._holder, self._lease_clock) as holding:
            if holding is None:
                return None
            self._note_interrupted()
            return self._run(spec, stopping, holding)

    def _due(self) -> list[JobSpec]:
        now = self._clock()
        states = {job.app_name: job for job in Job.objects.all()}
        return [
            spec for spec in self._jobs if spec.name not in states or is_due(states[spec.name], now)
        ]

    def _note_interrupted(self) -> None:
        """Record runs that were killed: whoever holds the lease sees them still marked ongoing."""
        specs = {spec.name: spec for spec in self._jobs}
        for job in Job.objects.filter(ongoing__isnull=False, app_name__in=specs):
            logger.warning("the last run of %s was interrupted", job.app_name)
            started = job.ongoing or self._clock()
            self._fail(job, specs[job.app_name], started, Interrupted(Interrupted.__doc__))

    def _run(self, spec: JobSpec, stopping: Event, holding: lease.Holding) -> bool:
        """Run a job and record how it went. True if it succeeded."""
        started = self._clock()
        job, _ = Job.objects.get_or_create(app_name=spec.name)
        job.first_run = job.first_run or started
        job.last_run = job.ongoing = started
        job.save()
        run = JobRun(
            settings=self._settings,
            now=started,
            last_success=job.last_success,
            should_stop=lambda: stopping.is_set() or holding.lost,
        )
        error = _call(spec, run)
        # The database may have gone and come back meanwhile: the end is written all the same.
        close_old_connections()
        if holding.lost:
            # The row belongs to the new holder, which finds the job interrupted.
            return False
        if error is None:
            self._succeed(job, spec, started)
        elif isinstance(error, JobStopped):
            self._stop(job, started)
        else:
            self._fail(job, spec, started, error)
        return error is None

    def _succeed(self, job: Job, spec: JobSpec, started: datetime) -> None:
        ended = self._clock()
        job.next_run = after_success(spec, started, ended)
        job.last_success = started
        job.error_count, job.last_error, job.ongoing = 0, "", None
        job.save()
        seconds = self._record(job, started, ended, "success")
        level = logging.INFO if seconds >= _LONG_SECONDS else logging.DEBUG
        logger.log(level, "%s succeeded in %.1f s", job.app_name, seconds)

    def _stop(self, job: Job, started: datetime) -> None:
        job.ongoing = None
        job.next_run = started
        job.save()
        seconds = self._record(job, started, self._clock(), "stopped")
        logger.info("%s was stopped after %.1f s and goes on later", job.app_name, seconds)

    def _fail(self, job: Job, spec: JobSpec, started: datetime, error: BaseException) -> None:
        ended = self._clock()
        job.error_count += 1
        job.last_error = storable(f"{type(error).__name__}: {error}")[:_MAX_ERROR]
        job.next_run = after_failure(spec, job.error_count, ended)
        job.ongoing = None
        job.save()
        seconds = self._record(job, started, ended, "failure", error)
        logger.error(
            "%s failed after %.1f s, for the %d. time in a row, and runs again at %s: %s",
            job.app_name,
            seconds,
            job.error_count,
            f"{job.next_run:%Y-%m-%dT%H:%M:%SZ}",
            job.last_error.partition("\n")[0],
        )

    def _record(
        self,
        job: Job,
        started: datetime,
        ended: datetime,
        result: str,
        error: BaseException | None = None,
    ) -> float:
        """Write the log row and the metric of a run; return its length in seconds."""
        seconds = max(0.0, (ended - started).total_seconds())
        trace = "".join(traceback.format_exception(error)) if error else ""
        name = type(error).__name__ if error else ""
        Log.objects.create(
            app_name=job.app_name,
            log_time=started,
            duration=seconds,
            success={"success": True, "failure": False}.get(result),
            exc_type=storable(name)[:_MAX_NAME],
            exc_value=storable(str(error or ""))[:_MAX_ERROR],
            exc_traceback=storable(trace)[-_MAX_ERROR:],
        )
        tags = [f"job:{job.app_name}", f"result:{result}"]
        METRICS.timing("cron.job_run", seconds * 1000, tags=tags)
        return seconds


def _call(spec: JobSpec, run: JobRun) -> Exception | None:
    """Call the job's function and return what it raised."""
    try:
        spec.run(run)
    except JobStopped as stopped:
        return stopped
    except Exception as error:  # noqa: BLE001 - the outermost place of a job
        report_error(error, job=spec.name)
        return error
    return None
