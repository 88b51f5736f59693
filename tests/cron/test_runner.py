# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The runner: what runs, what is recorded, and what happens when things go wrong."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, InterfaceError

from cron import lease, runner
from cron.job import JobRun, JobSpec, JobStopped
from cron.models import Job, Lease, Log
from cron.runner import Runner
from socorro.settings import Settings, load
from tests.cron.clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    return load()


@pytest.fixture
def make_runner(settings_in_force: Settings, clock: Clock) -> Callable[..., Runner]:
    return lambda *jobs: Runner(settings_in_force, jobs, clock)


class Recorder:
    """A job's function that keeps what it was given, and raises what it is told to."""

    def __init__(self) -> None:
        self.runs: list[JobRun] = []
        self.error: Exception | None = None

    def __call__(self, run: JobRun) -> None:
        self.runs.append(run)
        if self.error:
            raise self.error


def hourly(name: str, function: Callable[[JobRun], None]) -> JobSpec:
    return JobSpec(name, HOUR, function, "A job.")


def test_a_job_runs_when_due_and_not_before(
    make_runner: Callable[..., Runner], clock: Clock
) -> None:
    job = Recorder()
    jobs = make_runner(hourly("one", job))
    assert jobs.run_due(threading.Event())
    clock.advance(minutes=59)
    jobs.run_due(threading.Event())
    assert len(job.runs) == 1
    clock.advance(minutes=1)
    jobs.run_due(threading.Event())
    assert len(job.runs) == 2


def test_a_success_is_recorded(make_runner: Callable[..., Runner], clock: Clock) -> None:
    start = clock()
    make_runner(hourly("one", lambda run: clock.advance(seconds=3))).run_due(threading.Event())
    job = Job.objects.get()
    assert (job.first_run, job.last_run, job.last_success) == (start, start, start)
    assert job.next_run == start + HOUR
    assert (job.error_count, job.last_error, job.ongoing) == (0, "", None)
    log = Log.objects.get()
    assert (log.app_name, log.log_time, log.duration, log.success) == ("one", start, 3.0, True)


def test_a_job_is_told_when_it_last_succeeded_and_a_failure_does_not_move_that(
    make_runner: Callable[..., Runner], clock: Clock
) -> None:
    job, first = Recorder(), clock()
    jobs = make_runner(hourly("one", job))
    jobs.run_due(threading.Event())
    clock.advance(hours=1)
    job.error = ValueError("no luck")
    jobs.run_due(threading.Event())
    clock.advance(hours=1)
    jobs.run_due(threading.Event())
    assert [run.last_success for run in job.runs] == [None, first, first]


def test_a_failure_is_recorded_and_tried_again_later_each_time(
    make_runner: Callable[..., Runner], clock: Clock
) -> None:
    job = Recorder()
    job.error = ValueError("no luck")
    jobs = make_runner(hourly("one", job))
    for wait in (1, 2, 4):
        jobs.run_due(threading.Event())
        state = Job.objects.get()
        assert state.next_run == clock() + timedelta(minutes=wait)
        clock.advance(minutes=wait)
    assert (state.error_count, state.last_error) == (3, "ValueError: no luck")
    assert (state.last_success, state.ongoing) == (None, None)
    log = Log.objects.latest("id")
    assert (log.success, log.exc_type, log.exc_value) == (False, "ValueError", "no luck")
    assert "in __call__" in log.exc_traceback


def test_a_success_forgets_the_failures(make_runner: Callable[..., Runner], clock: Clock) -> None:
    job = Recorder()
    job.error = ValueError("no luck")
    jobs = make_runner(hourly("one", job))
    jobs.run_due(threading.Event())
    job.error = None
    clock.advance(minutes=1)
    jobs.run_due(threading.Event())
    state = Job.objects.get()
    assert (state.error_count, state.last_error) == (0, "")


def test_a_failing_job_does_not_keep_the_next_from_running(
    make_runner: Callable[..., Runner],
) -> None:
    bad, good = Recorder(), Recorder()
    bad.error = RuntimeError("no luck")
    make_runner(hourly("bad", bad), hourly("good", good)).run_due(threading.Event())
    assert len(good.runs) == 1


def test_a_stopped_job_has_not_failed_and_is_due_at_once(
    make_runner: Callable[..., Runner], clock: Clock
) -> None:
    stopping, later = threading.Event(), Recorder()

    def interrupted_by_sigterm(run: JobRun) -> None:
        stopping.set()
        run.check()

    jobs = make_runner(hourly("one", interrupted_by_sigterm), hourly("two", later))
    jobs.run_due(stopping)
    job = Job.objects.get()
    assert (job.error_count, job.ongoing, job.next_run) == (0, None, clock())
    assert Log.objects.get().success is None
    assert later.runs == []


def test_nothing_runs_while_another_process_holds_the_lease(
    make_runner: Callable[..., Runner], clock: Clock
) -> None:
    job = Recorder()
    lease.acquire("cronrun", "another", clock())
    assert not make_runner(hourly("one", job)).run_due(threading.Event())
    assert job.runs == []


def test_a_job_ends_when_the_lease_is_lost_and_leaves_the_row_to_the_new_holder(
    make_runner: Callable[..., Runner], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_RENEW_EVERY", 0.02)
    waiting = threading.Event()

    def robbed(run: JobRun) -> None:
        Lease.objects.update(holder="another")
        while not run.should_stop():
            waiting.wait(0.01)
        raise JobStopped

    later = Recorder()
    make_runner(hourly("one", robbed), hourly("two", later)).run_due(threading.Event())
    assert Job.objects.get().ongoing == clock()
    assert later.runs == []


def test_a_run_that_was_killed_is_noted_and_tried_again(
    make_runner: Callable[..., Runner], clock: Clock
) -> None:
    job = Recorder()
    Job.objects.create(app_name="one", ongoing=clock(), last_run=clock(), next_run=clock())
    clock.advance(minutes=1)
    jobs = make_runner(hourly("one", job))
    jobs.run_due(threading.Event())
    state = Job.objects.get()
    assert (state.ongoing, state.error_count) == (None, 1)
    assert state.last_error.startswith("Interrupted")
    clock.advance(minutes=1)
    jobs.run_due(threading.Event())
    assert len(job.runs) == 1


@pytest.mark.parametrize(
    ("error", "stored"),
    [
        (ValueError("a \0 in it"), "a \\x00 in it"),
        (FileNotFoundError("caf\udce9"), "caf\\udce9"),
        (type("E" * 300, (Exception,), {})("x" * 20_000), "x" * 10_000),
    ],
    ids=["nul", "surrogate", "long"],
)
def test_any_error_of_a_job_can_be_recorded(
    error: Exception, stored: str, make_runner: Callable[..., Runner]
) -> None:
    job = Recorder()
    job.error = error
    make_runner(hourly("one", job)).run_due(threading.Event())
    assert Job.objects.get().last_error == f"{type(error).__name__}: {stored}"[:10_000]
    log = Log.objects.get()
    assert (log.success, log.exc_value) == (False, stored)
    assert log.exc_type == type(error).__name__[:200]
    assert 0 < len(log.exc_traceback) <= 10_000


def test_one_job_runs_on_demand_whether_due_or_not(make_runner: Callable[..., Runner]) -> None:
    job = Recorder()
    spec = hourly("one", job)
    jobs = make_runner(spec)
    assert jobs.run_job(spec, threading.Event()) is True
    assert jobs.run_job(spec, threading.Event()) is True
    job.error = ValueError("no luck")
    assert jobs.run_job(spec, threading.Event()) is False
    assert len(job.runs) == 3


def test_the_loop_outlives_errors_and_ends_when_told(
    make_runner: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_TICK_SECONDS", 0.01)
    stopping = threading.Event()
    rounds: list[Exception | None] = [
        DatabaseError("locked"),
        InterfaceError("connection already closed"),
        KeyError("a bug"),
        None,
    ]

    def round_of_jobs(event: threading.Event) -> bool:
        error = rounds.pop(0)
        if error:
            raise error
        stopping.set()
        return True

    jobs = make_runner()
    monkeypatch.setattr(jobs, "run_due", round_of_jobs)
    jobs.run_forever(stopping)
    assert rounds == []


def _hold_and_hang(started: "multiprocessing.synchronize.Event") -> None:
    """Run a job that never ends (in a process that is to be killed)."""

    def hang(run: JobRun) -> None:
        started.set()
        threading.Event().wait()

    Runner(load(), [hourly("one", hang)]).run_due(threading.Event())


def test_the_jobs_of_a_killed_process_go_on_in_another(
    settings_in_force: Settings,
) -> None:
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    started = context.Event()
    process = context.Process(target=_hold_and_hang, args=(started,))
    process.start()
    assert started.wait(30)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    job, ahead = Recorder(), Clock()
    ahead.now = lease.utc_now()
    jobs = Runner(settings_in_force, [hourly("one", job)], ahead)
    assert not jobs.run_due(threading.Event()), "the lease of the dead has not run out"
    ahead.advance(seconds=lease.DURATION.total_seconds() + 1)
    assert jobs.run_due(threading.Event())
    ahead.advance(minutes=2)
    assert jobs.run_due(threading.Event())
    assert len(job.runs) == 1
