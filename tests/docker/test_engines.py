# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The configuration and health checks of the stand-ins, on servers of their kind."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import requests

from tests.docker.files import CONFIG, environment_files, read_environment, read_services
from tests.servers import PostgresServer, S3Server, SqsServer

SERVICES = read_services()
_SQS_PORT = 9324


class ComposeSqs(SqsServer):
    """ElasticMQ with the configuration that its container gets, but port and folder of its own."""

    def machine_options(self) -> Sequence[str]:
        given = (CONFIG / "elasticmq.conf").read_text()
        assert f"bind-port = {_SQS_PORT}" in given
        assert "jdbc:h2:/data/messages;WRITE_DELAY=0" in given
        return [
            f"-Dconfig.file={CONFIG / 'elasticmq.conf'}",
            f"-Dnode-address.port={self.port}",
            "-Drest-sqs.bind-hostname=127.0.0.1",
            f"-Drest-sqs.bind-port={self.port}",
            f"-Dmessages-storage.uri=jdbc:h2:{self.folder}/messages;WRITE_DELAY=0",
        ]


@pytest.fixture(scope="module")
def sqs(aws_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeSqs]:
    with ComposeSqs(tmp_path_factory.mktemp("compose-sqs")) as server:
        yield server


def _check(service: str) -> list[str]:
    kind, *words = SERVICES[service]["healthcheck"]["test"]
    if kind == "CMD-SHELL":
        words = ["/bin/sh", "-c", *words]
    # What docker compose would take for a variable of its own is written with two.
    return [word.replace("$$", "$") for word in words]


def test_the_health_check_of_s3_tells_a_server_from_none(s3_server: S3Server) -> None:
    port = read_environment(*environment_files(SERVICES["s3"]))["S3PROXY_ENDPOINT"].split(":")[-1]

    def check(actual: int) -> int:
        command = [word.replace(f"/127.0.0.1/{port}", f"/127.0.0.1/{actual}") for word in words]
        return subprocess.run(command, capture_output=True, check=False).returncode

    words = _check("s3")
    assert f"/dev/tcp/127.0.0.1/{port}" in words[-1]
    assert check(s3_server.port) == 0
    assert check(1) != 0


def test_the_health_check_of_sqs_asks_what_a_server_answers(sqs: ComposeSqs) -> None:
    command, *_, address = _check("sqs")
    assert command == "wget"
    actual = address.replace(f":{_SQS_PORT}/", f":{sqs.port}/")
    assert actual != address
    assert requests.get(actual, timeout=10).status_code == 200


def test_the_health_check_of_postgresql_tells_a_server_from_none(
    postgres_server: PostgresServer,
) -> None:
    programs = f"{Path(postgres_server.command()[0]).parent}{os.pathsep}{os.environ['PATH']}"
    assert shutil.which("pg_isready", path=programs)

    def check(port: int) -> int:
        given = read_environment(*environment_files(SERVICES["postgresql"]))
        environment = {**given, "PATH": programs, "PGPORT": str(port)}
        command = _check("postgresql")
        return subprocess.run(command, env=environment, check=False).returncode

    assert check(postgres_server.port) == 0
    assert check(1) != 0


def test_addresses_of_queues_have_the_host_that_the_client_asked_by(sqs: ComposeSqs) -> None:
    answer = requests.get(
        sqs.endpoint,
        params={"Action": "CreateQueue", "QueueName": "asked-by-name", "Version": "2012-11-05"},
        headers={"Host": f"sqs:{_SQS_PORT}"},
        timeout=10,
    )
    assert f"http://sqs:{_SQS_PORT}/" in answer.text


def test_queues_and_messages_are_there_after_a_kill(sqs: ComposeSqs) -> None:
    sqs.create_queues("kept")
    address = sqs.client().get_queue_url(QueueName="kept-standard")["QueueUrl"]
    sqs.client().send_message(QueueUrl=address, MessageBody="a message")
    sqs.kill()
    sqs.start()
    received = sqs.client().receive_message(QueueUrl=address)
    assert [message["Body"] for message in received["Messages"]] == ["a message"]
