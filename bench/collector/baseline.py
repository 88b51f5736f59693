# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The baseline: servers that do only the necessary work for a report, by hand and unhardened.

``python -m bench.collector.baseline keep|drop FOLDER PORT WORKERS THREADS``

*keep* reads the body, inflates it, cuts it at the boundary, hashes the dump, makes the three files
of a report durable in the folders where crash storage has them, and commits a row to an SQLite
queue. *drop* writes the body to a file as it came and makes nothing durable.

Neither is a collector: annotations have to come first and one dump last, as this benchmark sends
them; no limit is enforced, no client is too slow, nothing is checked, logged or measured. Each
thread of each process waits for a connection and serves it to its end. In Python, on one machine,
it is hard to do with less.
"""

import hashlib
import json
import os
import signal
import socket
import sqlite3
import sys
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from socorro.crash_id import make_crash_id

_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Drop:
    """Writes bodies to files, each over that of the same thread before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, chunks: Iterator[bytes], headers: dict[str, str]) -> str:  # noqa: ARG002
        path = self._folder / f"{os.getpid()}-{threading.get_ident()}"
        with path.open("wb", buffering=0) as file:
            for chunk in chunks:
                file.write(chunk)
        return make_crash_id(datetime.now(UTC))


class Keep:
    """Makes reports durable."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "v1"
        self._spool = folder / "spool"
        self._spool.mkdir(parents=True, exist_ok=True)
        self._known: set[Path] = set()
        self._lock = threading.Lock()
        self._queue = sqlite3.connect(
            folder / "queue.db", timeout=10, isolation_level=None, check_same_thread=False
        )
        self._queue.execute("PRAGMA journal_mode = WAL")
        self._queue.execute("PRAGMA synchronous = NORMAL")
        self._queue.execute(
            "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, crash_id TEXT)"
        )

    def take(self, chunks: Iterator[bytes], headers: dict[str, str]) -> str:
        crash_id = make_crash_id(datetime.now(UTC))
        boundary = b"--" + headers["content-type"].partition("boundary=")[2].encode()
        inflated = _inflated(chunks) if headers.get("content-encoding") == "gzip" else chunks
        annotations, begin = _up_to_dump(inflated, boundary)
        digest = hashlib.sha256()
        spooled = self._spool / f"{crash_id}.dump"
        with spooled.open("xb", buffering=0) as file:
            for chunk in _without_end(begin, inflated, len(boundary) + 6):
                digest.update(chunk)
                file.write(chunk)
            os.fsync(file.fileno())
        self._move(spooled, "dump", crash_id)
        self._write(b'["upload_file_minidump"]', "dump_names", crash_id)
        raw_crash = {**annotations, "uuid": crash_id, "sha256": digest.hexdigest()}
        self._write(json.dumps(raw_crash).encode(), "raw_crash", crash_id)
        with self._lock:
            self._queue.execute("INSERT INTO message (crash_id) VALUES (?)", (crash_id,))
        return crash_id

    def _write(self, content: bytes, kind: str, crash_id: str) -> None:
        aside = self._spool / f"{crash_id}.{kind}"
        with aside.open("xb", buffering=0) as file:
            file.write(content)
            os.fsync(file.fileno())
        self._move(aside, kind, crash_id)

    def _move(self, path: Path, kind: str, crash_id: str) -> None:
        folder = self._root / kind / f"20{crash_id[-6:]}" / crash_id[:3]
        self._make(folder)
        path.rename(folder / crash_id)
        _sync(folder)

    def _make(self, folder: Path) -> None:
        if folder not in self._known:
            folder.mkdir(parents=True, exist_ok=True)
            _sync(folder.parent)
            self._known.add(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP)
    for chunk in chunks:
        while chunk:
            yield member.decompress(chunk, _CHUNK)
            chunk = member.unconsumed_tail


def _up_to_dump(chunks: Iterator[bytes], boundary: bytes) -> tuple[dict[str, str], bytes]:
    """Return the annotations, and what was read of the dump behind them."""
    data = b""
    while (dump := data.find(b'name="upload_file_minidump"')) < 0:
        data += next(chunks)
    while (start := data.find(b"\r\n\r\n", dump)) < 0:
        data += next(chunks)
    annotations = {}
    for part in data[:dump].split(boundary)[1:-1]:
        head, _, content = part[:-2].partition(b"\r\n\r\n")
        if b"application/json" in head:
            annotations.update(json.loads(content))
        else:
            annotations[head.split(b'"')[1].decode()] = content.decode()
    return annotations, data[start + 4 :]


def _without_end(begin: bytes, chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the dump: all but the closing delimiter, which has `size` bytes."""
    held = begin
    for chunk in chunks:
        data = held + chunk
        yield data[:-size]
        held = data[-size:]
    yield held[:-size]


def _serve(listener: socket.socket, work: Keep | Drop) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            while _answer(connection, work):
                pass


def _answer(connection: socket.socket, work: Keep | Drop) -> bool:
    """Take one request; False when the client has closed."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        received = connection.recv(_CHUNK)
        if not received:
            return False
        data += received
    lines = data[:end].decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    chunks = _body(connection, data[end + 4 :], int(headers.get("content-length", "0")))
    crash_id = work.take(chunks, headers)
    body = f"CrashID=bp-{crash_id}\n"
    connection.sendall(
        f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        .encode()
    )  # fmt: skip
    return True


def _body(connection: socket.socket, begin: bytes, length: int) -> Iterator[bytes]:
    if begin:
        yield begin
    left = length - len(begin)
    while left > 0:
        chunk = connection.recv(min(left, _CHUNK))
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def main() -> None:
    kind, folder, port, workers, threads = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=2048)
    children = []
    for _ in range(int(workers)):
        pid = os.fork()
        if pid == 0:
            _work(listener, kind, Path(folder), int(threads))
        children.append(pid)
    _wait(children)


def _work(listener: socket.socket, kind: str, folder: Path, threads: int) -> NoReturn:
    work = Keep(folder) if kind == "keep" else Drop(folder)
    pool = [
        threading.Thread(target=_serve, args=(listener, work), daemon=True) for _ in range(threads)
    ]
    for thread in pool:
        thread.start()
    while True:
        signal.pause()


def _wait(children: list[int]) -> None:
    """Sleep until SIGTERM, then end the workers."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.pause()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
