# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What Crash Stats and cronrun need of a database, on each kind: a SQLite file and PostgreSQL.

All tests of cronrun, and those of Crash Stats that are about accounts, permissions and waiting
crashes, run on both kinds too.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Field, Model

from cron import lease, runner
from cron.job import JobRun, JobSpec
from cron.models import Job, Lease, Log, MissingCrash
from cron.runner import Runner
from socorro.settings import load
from tests.contract.processes import wait_until
from tests.cron.clock import Clock
from tests.databases import Engine, django_on
from tests.servers import PostgresServer
from webapp.crashstats.models import PriorityRequest

NOW = datetime(2026, 3, 28, 12, 34, 56, 789012, tzinfo=UTC)


@pytest.fixture
def _empty(each_database: Engine, db: None) -> Iterator[None]:
    """A new database without tables."""
    with django_on(each_database.empty()):
        yield


@pytest.fixture
def _migrated(each_database: Engine, db: None) -> Iterator[None]:
    """A new database with all tables, and no transaction begun by pytest."""
    with django_on(each_database.migrated()):
        yield


@pytest.mark.usefixtures("_empty")
def test_the_migrations_lead_from_nothing_to_what_the_models_say() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    models = [model for model in apps.get_models() if model._meta.managed]
    assert {Job, Lease, Log, MissingCrash, PriorityRequest, User} <= set(models)
    for model in models:
        assert _columns(model) == {
            field.column: field.null for field in model._meta.local_concrete_fields
        }, model


def _columns(model: type[Model]) -> dict[str, bool]:
    """Return the columns of a table in the database, and whether they may be null."""
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return {column.name: bool(column.null_ok) for column in described}


@pytest.mark.usefixtures("_migrated")
def test_each_index_and_constraint_of_the_models_is_there() -> None:
    for model in (Job, Lease, Log, MissingCrash, PriorityRequest):
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        assert {index.name for index in model._meta.indexes} <= found.keys()
        unique = {
            tuple(each["columns"])
            for each in found.values()
            if each["unique"] or each["primary_key"]
        }
        assert {(field.column,) for field in _fields(model) if field.unique} <= unique
        indexed = {tuple(each["columns"]) for each in found.values() if each["index"]}
        assert {(field.column,) for field in _fields(model) if field.db_index} <= indexed


def _fields(model: type[Model]) -> "list[Field[object, object]]":
    return list(model._meta.local_concrete_fields)


@pytest.mark.usefixtures("_migrated")
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


@pytest.mark.usefixtures("_migrated")
def test_the_permissions_are_there() -> None:
    ours = Permission.objects.filter(content_type__app_label="crashstats")
    assert {"view_pii", "view_rawdump"} <= set(ours.values_list("codename", flat=True))


@pytest.mark.usefixtures("_migrated")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Job.objects.create(app_name="one"),
        lambda: MissingCrash.objects.create(crash_id="one", found=NOW),
        lambda: Lease.objects.create(name="one", expires=NOW),
        lambda: PriorityRequest.objects.create(crash_id="one", requested_at=NOW),
        lambda: User.objects.create_user("one"),
    ],
    ids=["job", "missing crash", "lease", "priority request", "user"],
)
def test_what_is_unique_cannot_be_there_twice(make: Callable[[], Model]) -> None:
    make()
    with pytest.raises(IntegrityError):
        make()


@pytest.mark.usefixtures("_migrated")
def test_a_time_comes_back_as_the_same_moment_in_utc() -> None:
    abroad = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    Job.objects.create(app_name="one", next_run=abroad)
    read = Job.objects.get().next_run
    assert read == NOW
    assert read is not None
    assert read.utcoffset() == timedelta(0)
    assert list(Job.objects.filter(next_run__lte=NOW)) == [Job.objects.get()]
    assert not Job.objects.filter(next_run__lt=NOW).exists()


@pytest.mark.usefixtures("_migrated")
def test_any_text_comes_back_as_it_was() -> None:
    text = "\x01\t\r\n\x7f\u2028\U0001f4a5 'quoted' \"twice\" %s \\ \ufeff" + "long " * 20_000
    Job.objects.create(app_name="one", last_error=text)
    assert Job.objects.get().last_error == text


@pytest.mark.usefixtures("_migrated")
def test_a_failed_transaction_leaves_nothing_and_the_connection_works() -> None:
    Job.objects.create(app_name="one")
    with suppress(IntegrityError), transaction.atomic():
        Job.objects.create(app_name="two")
        Job.objects.create(app_name="one")
    assert Job.objects.get().app_name == "one"


@pytest.mark.usefixtures("_migrated")
def test_of_many_who_ask_for_a_row_at_once_one_makes_it() -> None:
    begin, made = threading.Barrier(6), []

    def ask() -> None:
        begin.wait(30)
        try:
            _, new = Job.objects.get_or_create(app_name="one", defaults={"next_run": NOW})
            made.append(new)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(made) == [False] * 5 + [True]


@pytest.fixture
def _postgresql(postgresql_engine: Engine, db: None) -> Iterator[None]:
    """A new PostgreSQL database with all tables."""
    with django_on(postgresql_engine.migrated()):
        yield


def _cut() -> None:
    """End the connection of this thread, as a server does that stops."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.usefixtures("_postgresql")
def test_the_end_of_a_job_is_recorded_though_its_connection_broke_meanwhile() -> None:
    def lucky(run: JobRun) -> None:
        _cut()

    def unlucky(run: JobRun) -> None:
        _cut()
        Job.objects.count()

    jobs = [JobSpec(each.__name__, timedelta(hours=1), each, "A job.") for each in (unlucky, lucky)]
    Runner(load(), jobs).run_due(threading.Event())
    ended = dict(Log.objects.values_list("app_name", "success"))
    assert ended == {"unlucky": False, "lucky": True}
    assert Lease.objects.get().holder == ""


@pytest.mark.usefixtures("_postgresql")
def test_the_lease_has_one_holder_though_the_server_isolates_transactions_more() -> None:
    with connection.cursor() as cursor:
        name = connection.settings_dict["NAME"]
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_isolation TO serializable")
    lease.acquire("cronrun", "", lease.database_now())
    begin = threading.Barrier(6)

    def take(number: int) -> bool:
        begin.wait(30)
        try:
            return lease.acquire("cronrun", f"holder {number}", lease.database_now())
        except OperationalError:
            # Two at once: the later one tries again in its next round.
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(take, range(6)))
    assert sum(taken) == 1
    assert Lease.objects.get().holder == f"holder {taken.index(True)}"


@pytest.fixture
def _quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_TICK_SECONDS", 0.02)
    monkeypatch.setattr(lease, "_RENEW_EVERY", 0.02)


@contextmanager
def _rounds(jobs: Runner) -> Iterator[None]:
    """Let a runner go on in a thread of its own."""
    stopping = threading.Event()

    def run() -> None:
        try:
            jobs.run_forever(stopping)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
        assert thread.is_alive()
    finally:
        stopping.set()
        thread.join(60)


@pytest.mark.usefixtures("_postgresql", "_quick_rounds")
def test_cronrun_outlives_an_outage_and_tries_again_what_it_interrupted(
    postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock, working, stopped = Clock(), threading.Event(), threading.Event()
    runs = []

    def work(run: JobRun) -> None:
        runs.append(run.now)
        working.set()
        assert stopped.wait(60)
        Job.objects.count()

    connection.close()
    with _rounds(Runner(load(), [JobSpec("work", timedelta(hours=1), work, "A job.")], clock)):
        assert working.wait(60)
        postgres_server.stop()
        try:
            wait_until(lambda: "the lease cronrun could not be renewed" in caplog.text, "no lease")
            stopped.set()
            wait_until(lambda: "cronrun cannot use its database" in caplog.text, "no database")
        finally:
            postgres_server.start()
        wait_until(lambda: Log.objects.filter(success=False).exists(), "the failure is recorded")
        assert Job.objects.get().last_error.startswith("Interrupted")
        clock.advance(minutes=1)
        wait_until(lambda: Log.objects.filter(success=True).exists(), "it was tried again")
        wait_until(lambda: Lease.objects.get().holder == "", "the lease is free")
    assert len(runs) == 2


@pytest.mark.usefixtures("_postgresql", "_quick_rounds")
def test_of_two_cronruns_on_one_database_one_works_at_a_time() -> None:
    at_work, most, runs = [0], [0], [0]

    def work(run: JobRun) -> None:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        runs[0] += 1
        time.sleep(0.01)
        at_work[0] -= 1

    jobs = [JobSpec("work", timedelta(0), work, "A job.")]
    with _rounds(Runner(load(), jobs)), _rounds(Runner(load(), jobs)):
        wait_until(lambda: runs[0] >= 10, "ten runs")
    assert most == [1]
    assert not Log.objects.exclude(success=True).exists()
