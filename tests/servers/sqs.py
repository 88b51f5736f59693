# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""ElasticMQ: SQS with its messages on disk or in memory."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import requests

from tests.servers.credentials import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.java_server import JavaServer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

QUEUES = ("standard", "priority", "reprocessing")

_CONF = """\
include classpath("application.conf")
node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
rest-sqs {{
  enabled = true, bind-hostname = "127.0.0.1", bind-port = {port}, sqs-limits = strict
}}
rest-stats {{ enabled = false }}
generate-node-address = false
queues-storage {{ enabled = false }}
messages-storage {{
  enabled = {persistent}
  driver-class = "org.h2.Driver"
  # Without WRITE_DELAY=0 a kill -9 loses messages whose sender has had an answer.
  uri = "jdbc:h2:{database};WRITE_DELAY=0"
  username = ""
  password = ""
  prune-data-on-init = false
}}
"""


class SqsServer(JavaServer):
    """SQS, with queues and messages that survive a restart and a kill -9, or in memory alone.

    Not as SQS: credentials are not checked; MessageRetentionPeriod and MaximumMessageSize are taken
    and forgotten; deleting with an old receipt handle is refused.
    """

    name = "ElasticMQ"
    profile = "sqs"
    main_class = "org.elasticmq.server.Main"

    def __init__(self, folder: Path, *, persistent: bool = True) -> None:
        super().__init__(folder)
        self._persistent = persistent

    def client(self) -> "SQSClient":
        """Return a client."""
        return boto3.client(
            "sqs",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )

    def create_queues(self, prefix: str, *, max_receives: int | None = None) -> None:
        """Make the three queues of a crash queue, and a ``-dead`` one beside each.

        With `max_receives` a redrive policy moves a message there that was received so often.
        """
        client = self.client()
        for queue in QUEUES:
            name = f"{prefix}-{queue}"
            dead = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
            if max_receives is None:
                client.create_queue(QueueName=name)
                continue
            found = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
            policy = {
                "deadLetterTargetArn": found["Attributes"]["QueueArn"],
                "maxReceiveCount": max_receives,
            }
            client.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})

    def url(self, prefix: str) -> str:
        """Return the setting that names a crash queue: ``sqs://PREFIX?endpoint=...&region=...``."""
        return self.aws_url("sqs", prefix)

    def prepare(self) -> None:
        super().prepare()
        self._settings_file.write_text(
            _CONF.format(
                port=self.port,
                persistent=str(self._persistent).lower(),
                database=self.folder / "messages",
            )
        )

    def machine_options(self) -> Sequence[str]:
        return [f"-Dconfig.file={self._settings_file}"]

    def arguments(self) -> Sequence[str]:
        return ()

    def is_ready(self) -> bool:
        """Whether it answers a list of its queues."""
        try:
            query = {"Action": "ListQueues", "Version": "2012-11-05"}
            return requests.get(self.endpoint, params=query, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    @property
    def _settings_file(self) -> Path:
        return self.folder / "elasticmq.conf"
