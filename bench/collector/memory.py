# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The memory of a server while many large uploads are in progress at once."""

import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.collector.reports import Request
from bench.collector.servers import Server

UPLOADS = 100
_PIECE = 64 * 1024
_INTERVAL_SECONDS = 0.05
_ANSWER_SECONDS = 300.0


@dataclass
class Memory:
    """Bytes that the processes of a server take together.

    Pages that several of them share count once (proportional set size).
    """

    before: int
    peak: int = 0
    accepted: int = 0


def upload_at_once(server: Server, request: Request) -> Memory:
    """Send a report on `UPLOADS` connections, all of them half sent before any goes on."""
    memory = Memory(_proportional_set_size(server))
    half_sent = threading.Barrier(UPLOADS)
    with _watched(server, memory), ThreadPoolExecutor(UPLOADS) as clients:
        answers = clients.map(lambda _: _upload(server, request, half_sent), range(UPLOADS))
        memory.accepted = sum(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    return memory


def _upload(server: Server, request: Request, half_sent: threading.Barrier) -> bytes:
    """Return the answer, or what came of it."""
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=_ANSWER_SECONDS) as connection:
        connection.sendall(_head(request.headers, len(request.body)))
        middle = len(request.body) // 2
        _send(connection, request.body, 0, middle)
        half_sent.wait(_ANSWER_SECONDS)
        _send(connection, request.body, middle, len(request.body))
        return connection.recv(_PIECE)


def _head(headers: Mapping[str, str], length: int) -> bytes:
    fields = {"Host": "localhost", **headers, "Content-Length": str(length)}
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    return ("POST /submit HTTP/1.1\r\n" + "".join(lines) + "\r\n").encode()


def _send(connection: socket.socket, body: bytes, start: int, end: int) -> None:
    view = memoryview(body)
    for position in range(start, end, _PIECE):
        connection.sendall(view[position : min(position + _PIECE, end)])


@contextmanager
def _watched(server: Server, memory: Memory) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_INTERVAL_SECONDS):
            memory.peak = max(memory.peak, _proportional_set_size(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _proportional_set_size(server: Server) -> int:
    return sum(_pss(process) for process in server.processes)


def _pss(process: psutil.Process) -> int:
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        # It has ended since it was listed.
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
