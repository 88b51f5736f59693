# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Keeps the tables of cronrun from growing for ever."""

import logging
from datetime import timedelta

from cron.job import JobRun
from cron.models import Log, MissingCrash

logger = logging.getLogger(__name__)

_KEEP_LOG = timedelta(days=30)
# Longer than REQUEUE_SWEEP_DAYS by default: a crash that is still looked at keeps its count.
_KEEP_MISSING = timedelta(days=60)


def clean_log(run: JobRun) -> None:
    """Delete log rows and missing crashes that are too old to interest anybody."""
    rows, _ = Log.objects.filter(log_time__lt=run.now - _KEEP_LOG).delete()
    missing, _ = MissingCrash.objects.filter(found__lt=run.now - _KEEP_MISSING).delete()
    if rows or missing:
        logger.info("deleted %d rows of the log and %d missing crashes", rows, missing)
