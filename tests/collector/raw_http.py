# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A collector under its real server, and a client that sends exactly the bytes it is given."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from socorro.queue import CrashQueue, open_queue
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import BOUNDARY, Answer

GUNICORN = ("-m", "gunicorn", "-c", "python:collector.gunicorn_conf", "collector.wsgi:application")


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class CollectorServer:
    """The collector as gunicorn serves it, in a folder of its own."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "SOCORRO_DATA": str(self.folder),
            "COLLECTOR_PORT": str(self.port),
            "MIN_FREE_DISK": "0",
            **self.settings,
        }

    @property
    def storage(self) -> FilesystemStorage:
        return FilesystemStorage(self.folder / "crashes")

    @property
    def queue(self) -> CrashQueue:
        return open_queue(f"local://{self.folder}/queue", lease_seconds=60)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and do not wait."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *GUNICORN], env=self.environ, stdout=log, stderr=log
            )
        return self.process

    def start(self) -> None:
        """Start and wait until it serves."""
        process = self.spawn()
        deadline = time.monotonic() + 60
        while not self._serves():
            assert process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def _serves(self) -> bool:
        try:
            return self.send(b"GET /__heartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
        except OSError:
            return False

    def stop(self) -> int:
        """End it as a service manager does; return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """End master and workers at once, whatever they are doing."""
        if self.process is not None and self.process.poll() is None:
            workers = children_of(self.process.pid)
            self.process.kill()
            self.process.wait()
            for worker in workers:
                try:
                    os.kill(worker, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def connect(self) -> "Connection":
        """Open a connection."""
        return Connection(self.port)

    def send(self, request: bytes) -> Answer:
        """Send a request on a connection of its own and return the answer."""
        with self.connect() as connection:
            connection.send(request)
            return connection.answer()


class Connection:
    """A connection that sends what it is told and reads answers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._rest = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; an answer that comes before they are all out ends the sending."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def end(self) -> None:
        """Say that nothing more will be sent."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            # The server has closed already.
            return

    def answer(self) -> Answer:
        """Read one answer. Raises ConnectionError when the server closes instead."""
        while b"\r\n\r\n" not in self._rest:
            self._read()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        status = int(status_line.split()[1])
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        if status == 100:
            return Answer(status, headers, "")
        length = int(headers.get("content-length", "0"))
        while len(self._rest) < length:
            self._read()
        body, self._rest = self._rest[:length], self._rest[length:]
        return Answer(status, headers, body.decode("latin-1"))

    def is_closed(self) -> bool:
        """Whether the server closes the connection without another byte."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _read(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(f"closed after {self._rest[:200]!r}")
        self._rest += data


def submit_request(body: bytes, *headers: str, length: int | None = -1) -> bytes:
    """Return a request with a body; `length` is its Content-Length, None for none, -1 for right."""
    lines = [
        "POST /submit HTTP/1.1",
        "Host: collector",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        *headers,
    ]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body: bytes, size: int = 1000) -> bytes:
    """Return a body in the chunked transfer coding."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    encoded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return encoded + b"0\r\n\r\n"


def children_of(pid: int) -> list[int]:
    """Return the process ids of a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]
