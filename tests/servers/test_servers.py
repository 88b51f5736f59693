# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the tests that stop, kill and freeze servers rely on."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import psycopg2
import pytest
import requests
from botocore.exceptions import ClientError

from tests.e2e.server import wait_until
from tests.servers import PostgresServer, S3Server, ServerFailed, ServerProcess, SqsServer
from tests.servers.credentials import aws_environment
from tests.servers.postgres import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
MANY = 50


def restart(server: ServerProcess) -> None:
    server.stop()
    assert not server.running
    server.start()


def kill_and_start(server: ServerProcess) -> None:
    server.kill()
    assert not server.running
    server.start()


def restart_in_a_thread(server: ServerProcess) -> None:
    """The kernel ties a server to the thread that started it: it must not be this one."""
    thread = threading.Thread(target=restart, args=(server,))
    thread.start()
    thread.join()


ComeBack = Callable[[ServerProcess], None]


@pytest.mark.parametrize("come_back", [restart, kill_and_start])
def test_objects_outlast_the_s3_server(s3: S3Server, come_back: ComeBack) -> None:
    bucket = f"kept-{come_back.__name__.replace('_', '-')}"
    s3.create_bucket(bucket)
    client = s3.client()
    for number in range(MANY):
        client.put_object(
            Bucket=bucket, Key=f"v1/{number}", Body=b"%d" % number, Metadata={"of": "the test"}
        )
    endpoint = s3.endpoint
    come_back(s3)
    assert s3.endpoint == endpoint
    for number in range(MANY):
        found = client.get_object(Bucket=bucket, Key=f"v1/{number}")
        assert (found["Body"].read(), found["Metadata"]) == (b"%d" % number, {"of": "the test"})


@pytest.mark.parametrize("come_back", [restart, kill_and_start])
def test_messages_leases_and_queues_outlast_the_sqs_server(
    sqs: SqsServer, come_back: ComeBack
) -> None:
    sqs.create_queues(come_back.__name__, max_receives=3)
    client = sqs.client()
    queue = client.get_queue_url(QueueName=f"{come_back.__name__}-standard")["QueueUrl"]
    client.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "77"})
    client.send_message(QueueUrl=queue, MessageBody="leased")
    leased = client.receive_message(QueueUrl=queue)["Messages"][0]
    for number in range(MANY):
        client.send_message(QueueUrl=queue, MessageBody=str(number))
    before = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert before["VisibilityTimeout"] == "77"
    assert f"{come_back.__name__}-standard-dead" in before["RedrivePolicy"]
    come_back(sqs)
    after = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert after == before
    assert received(sqs, queue) == {str(number) for number in range(MANY)}
    client.delete_message(QueueUrl=queue, ReceiptHandle=leased["ReceiptHandle"])


def test_an_sqs_server_in_memory_keeps_nothing_on_disk(tmp_path: Path) -> None:
    with SqsServer(tmp_path, persistent=False) as sqs:
        sqs.create_queues("gone")
        queue = sqs.client().get_queue_url(QueueName="gone-standard")["QueueUrl"]
        sqs.client().send_message(QueueUrl=queue, MessageBody="gone")
        assert received(sqs, queue) == {"gone"}
    assert {path.name for path in tmp_path.iterdir()} == {"elasticmq.conf", "server.log"}


@pytest.mark.parametrize("come_back", [restart, kill_and_start, restart_in_a_thread])
def test_committed_rows_outlast_the_postgresql_server(
    postgres: PostgresServer, come_back: ComeBack
) -> None:
    url = postgres.create_database()
    execute(url, "CREATE TABLE kept (number integer)")
    for number in range(MANY):
        execute(url, f"INSERT INTO kept VALUES ({number})")
    come_back(postgres)
    assert execute(url, "SELECT number FROM kept ORDER BY number") == [(n,) for n in range(MANY)]


def test_postgresql_comes_back_though_another_process_has_the_number_of_the_killed_one(
    postgres: PostgresServer,
) -> None:
    pid_file = postgres.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"], user=postgres.user()) as other:
        postgres.kill()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        postgres.start()
        other.kill()
    assert postgres.is_ready()


def test_a_killed_postgresql_leaves_no_process(postgres: PostgresServer) -> None:
    family = psutil.Process(postgres.pid).children(recursive=True)
    assert family
    postgres.kill()
    assert not any(is_alive(member.pid) for member in family)
    postgres.start()


def test_a_durable_postgresql_syncs() -> None:
    with PostgresServer(durable=True) as postgres:
        assert execute(postgres.create_database(), "SHOW fsync") == [("on",)]


def test_rows_are_not_synced_unless_that_is_asked_for(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    assert execute(url, "SHOW fsync") == [("off",)]
    # Else a kill -9 would lose what is committed.
    assert execute(url, "SHOW synchronous_commit") == [("on",)]


def test_a_database_is_owned_by_an_ordinary_role(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    rights = (
        "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    assert execute(url, rights) == [(False, False, True)]
    execute(url, "CREATE TABLE mine (number integer)")


def test_a_database_can_be_copied_and_dropped(postgres: PostgresServer) -> None:
    original = postgres.create_database()
    execute(original, "CREATE TABLE kept (number integer)")
    execute(original, "INSERT INTO kept VALUES (1)")
    copy = postgres.create_database(template=original)
    execute(copy, "INSERT INTO kept VALUES (2)")
    assert execute(original, "SELECT number FROM kept") == [(1,)]
    assert execute(copy, "SELECT number FROM kept ORDER BY number") == [(1,), (2,)]
    connected = psycopg2.connect(copy)
    postgres.drop_database(copy)
    connected.close()
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(copy)


def test_a_wrong_password_is_refused_by_postgresql(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url, password=f"{PASSWORD}x")


def test_a_unix_socket_asks_for_the_password_too(postgres: PostgresServer) -> None:
    name = postgres.create_database().rpartition("/")[2]
    place = f"host={postgres.socket_folder} port={postgres.port} dbname={name} user=socorro"
    psycopg2.connect(place, password=PASSWORD).close()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(place, password="wrong")


def test_a_wrong_secret_is_refused_by_s3(s3: S3Server) -> None:
    with pytest.raises(ClientError) as refused:
        s3.client(secret="wrong").list_buckets()
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_a_large_object_passes(s3: S3Server) -> None:
    s3.create_bucket("large")
    body = os.urandom(1 << 20) * 40
    s3.client().put_object(Bucket="large", Key="v1/dump", Body=body)
    assert s3.client().get_object(Bucket="large", Key="v1/dump")["Body"].read() == body


def test_a_frozen_s3_server_hangs_until_it_is_thawed(s3: S3Server) -> None:
    hangs_until_thawed(s3, lambda: requests.get(s3.endpoint, timeout=0.5), requests.ReadTimeout)


def test_a_frozen_sqs_server_hangs_until_it_is_thawed(sqs: SqsServer) -> None:
    hangs_until_thawed(sqs, lambda: requests.get(sqs.endpoint, timeout=0.5), requests.ReadTimeout)


def test_a_frozen_postgresql_hangs_until_it_is_thawed(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    connected = psycopg2.connect(url)
    hangs_until_thawed(
        postgres,
        lambda: psycopg2.connect(url, connect_timeout=2),
        psycopg2.OperationalError,
    )
    with connected.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    connected.close()


def hangs_until_thawed(
    server: ServerProcess, ask: Callable[[], object], timed_out: type[Exception]
) -> None:
    server.pause()
    assert server.running
    with pytest.raises(timed_out):
        ask()
    server.resume()
    assert server.is_ready()


def test_a_frozen_server_can_be_stopped(postgres: PostgresServer) -> None:
    postgres.pause()
    restart(postgres)
    postgres.pause()
    kill_and_start(postgres)


def test_a_server_that_ends_at_its_start_shows_its_log(tmp_path: Path) -> None:
    class Broken(ServerProcess):
        name = "Broken"

        def command(self) -> Sequence[str]:
            return ["sh", "-c", "echo the disk is on fire; exit 3"]

        def is_ready(self) -> bool:
            return False

    server = Broken(tmp_path)
    with pytest.raises(ServerFailed, match="Broken ended at its start\nthe disk is on fire"):
        server.start()
    assert not server.running


SESSION = """
from pathlib import Path
from tests.servers import PostgresServer, S3Server
with {server} as server:
    print(server.pid, server.folder, flush=True)
    input()
"""


@pytest.mark.parametrize("made", ["S3Server(Path({folder!r}))", "PostgresServer()"])
def test_a_server_dies_with_a_session_that_is_killed(tmp_path: Path, made: str) -> None:
    script = SESSION.format(server=made.format(folder=str(tmp_path)))
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **aws_environment()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout is not None
        pid, folder = session.stdout.readline().split()
        family = [int(pid), *(one.pid for one in psutil.Process(int(pid)).children())]
        session.send_signal(signal.SIGKILL)
    wait_until("the server is gone", lambda: not any(is_alive(one) for one in family))
    if made == "PostgresServer()":
        # The next session removes what the killed one could not.
        with PostgresServer():
            assert not Path(folder).exists()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run a statement in a transaction of its own; return its rows."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def received(sqs: SqsServer, queue: str) -> set[str]:
    """Take all messages from a queue."""
    bodies: set[str] = set()
    client = sqs.client()
    while messages := client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        bodies.update(message["Body"] for message in messages)
        for message in messages:
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return bodies
