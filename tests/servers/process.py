# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A server as a process: started, probed, stopped, killed, frozen and thawed."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.servers.ports import free_port

_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_GONE_SECONDS = 30.0
_LOG_TAIL = 4000

# The kernel kills a server together with the thread that started it, so that a session that is
# killed leaves none behind. A test may restart a server in a thread of its own; this one lasts.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-starter")


class ServerFailed(AssertionError):
    """A server did not start or did not stop; the text has the end of its log."""


class ServerProcess(ABC):
    """One server with a folder and a port that outlast its process.

    A context manager: starts on entry, and is gone on exit, whatever happened. Methods are not for
    several threads at once.
    """

    #: What it is called in messages.
    name: str
    #: What asks it to stop soon, whoever is connected.
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def log(self) -> Path:
        """All that its processes printed, over all starts."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """Process id of the running server; of its first process, if there are several."""
        return self._running_process().pid

    @property
    def running(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start on the same port with the same data, and wait until requests are answered.

        Raises ServerFailed after 60 s, and at once if the process ends.
        """
        if self.running:
            raise ServerFailed(f"{self.name} runs already")
        self.prepare()
        self._process = _starter.submit(self._spawn).result()
        try:
            self._wait_until_ready()
            self.once_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop in good order and wait for the end; what is connected is cut off."""
        if not self.running:
            return
        self.resume()
        process = self._running_process()
        process.send_signal(self.stop_signal)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(
                f"{self.name} did not stop in {_STOP_SECONDS:g} s\n{self._log_tail()}"
            ) from None

    def kill(self) -> None:
        """kill -9 all its processes and wait until they are gone."""
        if self._process is None:
            return
        family = self._family()
        for member in family:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait(_GONE_SECONDS)
        deadline = time.monotonic() + _GONE_SECONDS
        while any(_is_alive(member) for member in family):
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} is still there after kill -9")
            time.sleep(0.01)

    def pause(self) -> None:
        """Freeze all its processes: connections are taken, and nothing is answered."""
        # The first one first: then it makes no more children while these are looked up.
        psutil.Process(self.pid).suspend()
        for child in self._family()[1:]:
            child.suspend()

    def resume(self) -> None:
        """Thaw it; without effect on one that is not frozen."""
        for member in reversed(self._family()):
            member.resume()

    def close(self) -> None:
        """Stop for good."""
        self.stop()

    def prepare(self) -> None:
        """Write what the server reads at its start."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def once_ready(self) -> None:  # noqa: B027
        """Do what a server needs after its start; nothing unless it is overridden."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line of the server, which must stay in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers a request."""

    def environment(self) -> Mapping[str, str]:
        """Return the environment of the server."""
        return os.environ

    def user(self) -> str | None:
        """Return the name of the user that the server runs as; None for our own."""
        return None

    def _spawn(self) -> subprocess.Popen[bytes]:
        # After changing the user, as that would take the wish back.
        mortal = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        user = self.user()
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*mortal, *self.command()],
                cwd=self.folder,
                env=dict(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                # Ctrl-C is for the tests, which stop their servers in good order.
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self.is_ready():
            if not self.running:
                raise ServerFailed(f"{self.name} ended at its start\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"{self.name} does not answer after {_READY_SECONDS:g} s\n{self._log_tail()}"
                )
            time.sleep(0.05)

    def _running_process(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise ServerFailed(f"{self.name} does not run")
        return self._process

    def _family(self) -> list[psutil.Process]:
        """Return its processes, the first one first; none if it has ended."""
        if self._process is None or self._process.poll() is not None:
            return []
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]

    def _log_tail(self) -> str:
        try:
            return self.log.read_text(errors="replace")[-_LOG_TAIL:]
        except OSError as error:
            return f"(no log: {error})"


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
