# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The servers that are compared, and what the system says of their processes."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.collector.reports import Request
from tests.servers.ports import free_port

WORKERS = 2
THREADS = 112
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0

_BASELINE = ("-m", "bench.collector.baseline")
_COMMANDS = {
    "collector": ("-m", "socorro", "collector"),
    "necessary work": (*_BASELINE, "keep"),
    "read and write": (*_BASELINE, "drop"),
}
COLLECTOR, NECESSARY, DROPPING = _COMMANDS


@dataclass(frozen=True)
class Server:
    """A running server: its name, port and first process."""

    name: str
    port: int
    process: psutil.Process

    def post(self, request: Request) -> None:
        """Send a report on a connection of its own, as crash reporters do.

        Raises RuntimeError when the answer is no crash id.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/submit", request.body, request.headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200 or not text.startswith(b"CrashID=bp-"):
            raise RuntimeError(f"{self.name} answered {answer.status} {text[:80]!r}")

    @property
    def processes(self) -> list[psutil.Process]:
        """The first process and those it has started."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor time taken so far, in user mode and in the kernel."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)


@contextmanager
def running_servers(
    folder: str, names: Iterable[str] = tuple(_COMMANDS)
) -> Iterator[Mapping[str, Server]]:
    """Run the collector and the two baselines, or those named; yields them by name."""
    with ExitStack() as stack:
        servers = {}
        for number, name in enumerate(names):
            own = Path(folder) / str(number)
            own.mkdir(parents=True)
            servers[name] = stack.enter_context(_running(name, own))
        yield servers


@contextmanager
def _running(name: str, folder: Path) -> Iterator[Server]:
    """Run one server below `folder`, with the same numbers of processes and threads as the others.

    For the collector they are what it takes by itself on a machine with two cores; everything else
    has its default. No processor runs.
    """
    port = free_port()
    arguments = [sys.executable, *_COMMANDS[name]]
    if name != COLLECTOR:
        arguments += [str(folder), *(str(number) for number in (port, WORKERS, THREADS))]
    environ = {
        **os.environ,
        "SOCORRO_DATA": str(folder),
        "COLLECTOR_PORT": str(port),
        "COLLECTOR_WORKERS": str(WORKERS),
        "COLLECTOR_THREADS": str(THREADS),
    }
    with (folder / "log").open("wb") as log:
        process = psutil.Popen(arguments, env=environ, stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "log")
        yield Server(name, port, psutil.Process(process.pid))
    finally:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(port: int, process: psutil.Popen, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"a server does not answer: {log.read_text()[-2000:]}")
