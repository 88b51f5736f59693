# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Real servers for the tests, on free loopback ports: S3Proxy, ElasticMQ and PostgreSQL.

Each is an object that starts, stops, kills, freezes and thaws its server, and keeps port and data
meanwhile. None outlives the process that started it.
"""

from tests.servers.counting_proxy import CountingProxy
from tests.servers.credentials import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerFailed, ServerProcess
from tests.servers.s3 import S3Server
from tests.servers.sqs import SqsServer
from tests.servers.wire import Recorded

__all__ = [
    "ACCESS_KEY_ID",
    "REGION",
    "SECRET_ACCESS_KEY",
    "CountingProxy",
    "PostgresServer",
    "Recorded",
    "S3Server",
    "ServerFailed",
    "ServerProcess",
    "SqsServer",
]
