# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""When jobs are due."""

from datetime import UTC, datetime, timedelta

import pytest

from cron.job import JobSpec
from cron.models import Job
from cron.schedule import after_failure, after_success, is_due

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
MINUTELY = JobSpec("minutely", timedelta(minutes=1), lambda run: None, "A job.")
DAILY = JobSpec("daily", timedelta(days=1), lambda run: None, "A job.")


def test_a_job_that_never_ran_is_due() -> None:
    assert is_due(Job(app_name="daily"), NOW)


def test_a_job_is_due_from_its_next_run_on() -> None:
    assert not is_due(Job(next_run=NOW + timedelta(seconds=1)), NOW)
    assert is_due(Job(next_run=NOW), NOW)


def test_a_job_is_due_when_the_clock_was_set_back_behind_its_last_run() -> None:
    years = timedelta(days=3650)
    assert is_due(Job(last_run=NOW + years, next_run=NOW + years + timedelta(days=1)), NOW)


def test_a_job_that_succeeded_runs_again_one_period_after_its_start() -> None:
    ended = NOW + timedelta(seconds=2)
    assert after_success(MINUTELY, NOW, ended) == NOW + timedelta(minutes=1)
    assert after_success(DAILY, NOW, ended) == NOW + timedelta(days=1)


def test_a_job_takes_a_tenth_of_the_time_at_most() -> None:
    ended = NOW + timedelta(minutes=3)
    assert after_success(MINUTELY, NOW, ended) == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)]
)
def test_a_failing_job_waits_twice_as_long_each_time_up_to_an_hour(
    failures: int, minutes: int
) -> None:
    assert after_failure(DAILY, failures, NOW) == NOW + timedelta(minutes=minutes)


def test_a_failing_job_is_tried_again_no_later_than_a_succeeding_one() -> None:
    assert after_failure(MINUTELY, 9, NOW) == NOW + timedelta(minutes=1)
