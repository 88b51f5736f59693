# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The proxy counts what passes, changes nothing of it, and makes trouble when it is told to."""

import http.client
import io
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.config import Config

from tests.servers import REGION, CountingProxy, Recorded, S3Server, SqsServer
from tests.servers.wire import read_chunks

# One request is one request: no second try.
_AS_TOLD = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})


@dataclass
class Target:
    """A server that answers with the body it was sent, and remembers what it saw."""

    endpoint: str = ""
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    connections: set[socket.socket] = field(default_factory=set)


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            chunked = "Transfer-Encoding" in self.headers
            length = int(self.headers.get("Content-Length") or 0)
            body = read_chunks(self.rfile) if chunked else self.rfile.read(length)
            target.seen.append((self.command, self.path, dict(self.headers), body))
            target.connections.add(self.connection)
            self.send_response(200)
            self.send_header("X-Of-The-Target", "kept")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    target.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield target
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(target: Target) -> Iterator[CountingProxy]:
    with CountingProxy(target.endpoint) as proxy:
        yield proxy


@pytest.fixture
def connection(proxy: CountingProxy) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(proxy.endpoint)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    yield connection
    connection.close()


def test_each_request_is_recorded_in_order(proxy: CountingProxy) -> None:
    requests.put(f"{proxy.endpoint}/a/b%20c", data=b"x", timeout=10)
    requests.get(f"{proxy.endpoint}/a?list-type=2&prefix=v1", timeout=10)
    headers = {"X-Amz-Target": "AmazonSQS.SendMessage"}
    requests.post(proxy.endpoint, data=b"{}", headers=headers, timeout=10)
    assert proxy.requests == [
        Recorded("PUT", "/a/b%20c", "", ""),
        Recorded("GET", "/a", "list-type=2&prefix=v1", ""),
        Recorded("POST", "/", "", "SendMessage"),
    ]
    proxy.clear()
    assert proxy.requests == []


def test_host_headers_body_and_answer_pass_unchanged(proxy: CountingProxy, target: Target) -> None:
    headers = {"Host": "signed.example.com", "X-Mine": "yes", "Content-Encoding": "aws-chunked"}
    body = b"5;chunk-signature=0\r\nhello\r\n0;chunk-signature=1\r\n\r\n"
    answer = requests.put(f"{proxy.endpoint}/x", data=body, headers=headers, timeout=10)
    method, path, seen, content = target.seen[0]
    assert (method, path, content) == ("PUT", "/x", body)
    assert headers.items() <= seen.items()
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["X-Of-The-Target"] == "kept"


def test_a_chunked_body_passes(proxy: CountingProxy, target: Target) -> None:
    parts = iter([b"one ", b"", b"two ", b"three" * 100_000])
    answer = requests.post(f"{proxy.endpoint}/x", data=parts, timeout=10)
    assert answer.content == b"one two " + b"three" * 100_000
    assert target.seen[0][2]["Transfer-Encoding"] == "chunked"


def test_an_empty_chunked_body_passes(proxy: CountingProxy, target: Target) -> None:
    assert requests.post(f"{proxy.endpoint}/x", data=iter([]), timeout=10).content == b""
    assert target.seen[0][3] == b""


def test_a_client_that_expects_100_continue_gets_it(
    proxy: CountingProxy, target: Target, connection: http.client.HTTPConnection
) -> None:
    connection.putrequest("PUT", "/x")
    connection.putheader("Expect", "100-continue")
    connection.putheader("Content-Length", "4")
    connection.endheaders()
    assert connection.sock.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"body")
    assert connection.getresponse().read() == b"body"
    assert "Expect" not in target.seen[0][2]


def test_the_answer_to_head_says_the_length_and_has_no_body(
    proxy: CountingProxy, connection: http.client.HTTPConnection
) -> None:
    for _ in range(2):
        connection.request("HEAD", "/x", body=b"12345")
        answer = connection.getresponse()
        assert (answer.headers["Content-Length"], answer.read()) == ("5", b"")


def test_connections_are_kept_on_both_sides(
    proxy: CountingProxy, target: Target, connection: http.client.HTTPConnection
) -> None:
    connection.request("GET", "/first")
    connection.getresponse().read()
    socket_of_the_first = connection.sock
    connection.request("GET", "/second")
    connection.getresponse().read()
    assert connection.sock is socket_of_the_first
    assert len(target.connections) == 1


def test_requests_side_by_side_are_all_counted(proxy: CountingProxy) -> None:
    def ask() -> None:
        with requests.Session() as session:
            for _ in range(50):
                assert session.put(proxy.endpoint, data=b"x", timeout=10).content == b"x"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(proxy.requests) == 400


def test_failures_are_answered_without_the_target(proxy: CountingProxy, target: Target) -> None:
    proxy.fail_next(2, 503, "<Error><Code>SlowDown</Code></Error>")
    answers = [requests.put(f"{proxy.endpoint}/x", data=b"x", timeout=10) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert "SlowDown" in answers[0].text
    assert (len(target.seen), len(proxy.requests)) == (1, 3)


@pytest.mark.parametrize("delivered", [False, True])
def test_a_cut_closes_the_connection_before_or_after_the_target_has_the_request(
    proxy: CountingProxy, target: Target, delivered: bool
) -> None:
    proxy.cut_next(1, delivered=delivered)
    with pytest.raises(requests.ConnectionError):
        requests.put(f"{proxy.endpoint}/x", data=b"x", timeout=10)
    assert len(target.seen) == int(delivered)
    assert requests.put(f"{proxy.endpoint}/x", data=b"x", timeout=10).status_code == 200
    assert len(proxy.requests) == 2


def test_a_truncated_answer_is_shorter_than_it_says(
    proxy: CountingProxy, connection: http.client.HTTPConnection
) -> None:
    proxy.truncate_next(1)
    connection.request("PUT", "/x", body=b"12345678")
    answer = connection.getresponse()
    assert answer.headers["Content-Length"] == "8"
    with pytest.raises(http.client.IncompleteRead) as short:
        answer.read()
    assert short.value.partial == b"1234"


def test_a_late_answer_exceeds_the_clients_time_limit_and_yet_is_delivered(
    proxy: CountingProxy, target: Target
) -> None:
    proxy.delay(60)
    with pytest.raises(requests.ReadTimeout):
        requests.put(f"{proxy.endpoint}/x", data=b"x", timeout=0.5)
    assert len(target.seen) == 1
    proxy.delay(0)
    assert requests.get(f"{proxy.endpoint}/x", timeout=10).status_code == 200


def test_calm_takes_back_what_has_not_happened(proxy: CountingProxy) -> None:
    proxy.fail_next(5, 500)
    proxy.delay(60)
    proxy.calm()
    assert requests.get(f"{proxy.endpoint}/x", timeout=10).status_code == 200


def test_a_client_that_breaks_off_does_not_reach_the_target(
    proxy: CountingProxy, target: Target
) -> None:
    parts = urlsplit(proxy.endpoint)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
        client.sendall(b"PUT /half HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert target.seen == []


def test_a_target_that_is_down_cuts_its_clients_off_until_it_is_back(s3: S3Server) -> None:
    with CountingProxy(s3.endpoint) as proxy, requests.Session() as session:
        assert session.get(proxy.endpoint, timeout=10).status_code == 403
        s3.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(proxy.endpoint, timeout=10)
        s3.start()
        assert session.get(proxy.endpoint, timeout=10).status_code == 403


def test_a_target_that_closed_an_idle_connection_is_connected_anew(
    target: Target, connection: http.client.HTTPConnection
) -> None:
    for _ in range(2):
        connection.request("GET", "/x")
        assert connection.getresponse().read() == b""
        for idle in target.connections:
            idle.shutdown(socket.SHUT_RDWR)
        target.connections.clear()
    assert len(target.seen) == 2


def test_a_proxy_that_is_closed_lets_go_of_its_clients(target: Target) -> None:
    with CountingProxy(target.endpoint) as proxy:
        parts = urlsplit(proxy.endpoint)
        idle = socket.create_connection((parts.hostname, parts.port), timeout=10)
        idle.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
    assert idle.recv(1) == b""
    idle.close()


def test_s3_takes_signed_requests_through_the_proxy(s3: S3Server, aws_credentials: None) -> None:
    s3.create_bucket("proxied")
    with CountingProxy(s3.endpoint) as proxy:
        client = boto3.client(
            "s3", endpoint_url=proxy.endpoint, region_name=REGION, config=_AS_TOLD
        )
        key = "v1/dump/é and space"
        client.put_object(Bucket="proxied", Key=key, Body=b"bytes")
        client.put_object(Bucket="proxied", Key="v1/file", Body=io.BytesIO(b"x" * 300_000))
        assert client.get_object(Bucket="proxied", Key=key)["Body"].read() == b"bytes"
        assert client.head_object(Bucket="proxied", Key="v1/file")["ContentLength"] == 300_000
        client.delete_object(Bucket="proxied", Key=key)
        listed = client.list_objects_v2(Bucket="proxied")["Contents"]
        assert [entry["Key"] for entry in listed] == ["v1/file"]
        path = "/proxied/v1/dump/%C3%A9%20and%20space"
        assert [(one.method, one.path) for one in proxy.requests] == [
            ("PUT", path),
            ("PUT", "/proxied/v1/file"),
            ("GET", path),
            ("HEAD", "/proxied/v1/file"),
            ("DELETE", path),
            ("GET", "/proxied"),
        ]
        assert "list-type=2" in proxy.requests[-1].query


def test_sqs_is_counted_by_action_though_queue_urls_name_the_server_itself(
    sqs: SqsServer, aws_credentials: None
) -> None:
    sqs.create_queues("proxied")
    with CountingProxy(sqs.endpoint) as proxy:
        client = boto3.client(
            "sqs", endpoint_url=proxy.endpoint, region_name=REGION, config=_AS_TOLD
        )
        queue = client.get_queue_url(QueueName="proxied-standard")["QueueUrl"]
        assert queue.startswith(sqs.endpoint)
        client.send_message(QueueUrl=queue, MessageBody="one")
        message = client.receive_message(QueueUrl=queue)["Messages"][0]
        client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        actions = ["GetQueueUrl", "SendMessage", "ReceiveMessage", "DeleteMessage"]
        assert [one.action for one in proxy.requests] == actions


def test_a_long_poll_passes(sqs: SqsServer, aws_credentials: None) -> None:
    sqs.create_queues("polled")
    with CountingProxy(sqs.endpoint) as proxy:
        client = boto3.client(
            "sqs", endpoint_url=proxy.endpoint, region_name=REGION, config=_AS_TOLD
        )
        queue = client.get_queue_url(QueueName="polled-standard")["QueueUrl"]
        direct = sqs.client()
        sender = threading.Timer(
            0.3, lambda: direct.send_message(QueueUrl=queue, MessageBody="late")
        )
        sender.start()
        found = client.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
        sender.join()
        assert [message["Body"] for message in found] == ["late"]
