# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Old rows of cronrun's own tables go."""

from datetime import UTC, datetime, timedelta

import pytest

from cron.job import JobRun
from cron.jobs.clean_log import clean_log
from cron.models import Log, MissingCrash
from socorro.settings import load

NOW = datetime(2026, 3, 28, tzinfo=UTC)


@pytest.mark.django_db
def test_rows_that_are_too_old_are_deleted_and_others_kept() -> None:
    for days in (1, 29, 31):
        Log.objects.create(app_name="a", log_time=NOW - timedelta(days=days), duration=1.0)
    for days in (1, 59, 61):
        MissingCrash.objects.create(crash_id=str(days), found=NOW - timedelta(days=days))
    clean_log(JobRun(load(), NOW, None, lambda: False))
    assert Log.objects.count() == 2
    assert sorted(MissingCrash.objects.values_list("crash_id", flat=True)) == ["1", "59"]
