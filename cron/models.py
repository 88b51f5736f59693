# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What cronrun keeps in the database: the state of each job, a log of runs, and the lease."""

from django.db import models


class Job(models.Model):
    """The state of one job. A row appears when the job first runs; `cron.jobs.JOBS` declares it."""

    app_name = models.CharField(max_length=100, unique=True)
    next_run = models.DateTimeField(null=True, blank=True)
    first_run = models.DateTimeField(null=True, blank=True)
    last_run = models.DateTimeField(null=True, blank=True)
    last_success = models.DateTimeField(null=True, blank=True)
    # Failures since the last success; the retry waits longer with each.
    error_count = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    # Set while the job runs. Found set by the holder of the lease, it tells of a run that was
    # killed.
    ongoing = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.app_name


class Log(models.Model):
    """One run of a job. `success` is null when it was stopped before its end."""

    app_name = models.CharField(max_length=100)
    log_time = models.DateTimeField()
    # Seconds.
    duration = models.FloatField()
    success = models.BooleanField(null=True)
    exc_type = models.CharField(max_length=200, blank=True, default="")
    exc_value = models.TextField(blank=True, default="")
    exc_traceback = models.TextField(blank=True, default="")

    class Meta:
        indexes = (
            models.Index(fields=["app_name", "-log_time"], name="cron_log_by_job"),
            models.Index(fields=["log_time"], name="cron_log_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.app_name} {self.log_time:%Y-%m-%dT%H:%M:%SZ}"


class Lease(models.Model):
    """The right to run jobs: whoever holds it renews it, and loses it at `expires`."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=200, blank=True, default="")
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder or 'free'}"


class MissingCrash(models.Model):
    """A raw crash that was neither processed nor queued: when it was found and queued again.

    The count spaces further attempts out, so that a crash that cannot be processed, or one that
    waits in a queue that cannot be looked into, is not queued again at every run.
    """

    crash_id = models.CharField(max_length=36, unique=True)
    found = models.DateTimeField()
    queued = models.DateTimeField(null=True, blank=True)
    times_queued = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=["found"], name="cron_missing_by_found"),)

    def __str__(self) -> str:
        return self.crash_id


def storable(text: str) -> str:
    """Return `text` in a form that every database takes.

    PostgreSQL has no NUL in texts, and no database here has lone surrogates, which names of files
    may hold.
    """
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
