# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The whole system as its users start it, on free loopback ports and a folder of its own.

`Server` is one machine: `socorro run`. `tests.e2e.fleet` has the same as separate processes.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests

from tests.servers.ports import free_port

T = TypeVar("T")

START_SECONDS = 60.0
STOP_SECONDS = 60.0


def wait_until(what: str, probe: Callable[[], T | None], seconds: float = 60.0) -> T:
    """Ask `probe` until it gives something true; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := probe():
            return result
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:g} s")


def heartbeat(address: str) -> int:
    """Return the status of the heartbeat at an address, 0 if nobody answers."""
    try:
        return requests.get(f"{address}/__heartbeat__", timeout=30).status_code
    except requests.RequestException:
        return 0


@dataclass
class Installation:
    """Where the system listens, and what its users do with it."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    collector_port: int = field(default_factory=free_port)
    webapp_port: int = field(default_factory=free_port)

    @property
    def collector(self) -> str:
        return f"http://127.0.0.1:{self.collector_port}"

    @property
    def webapp(self) -> str:
        return f"http://127.0.0.1:{self.webapp_port}"

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "SOCORRO_DATA": str(self.data),
            "COLLECTOR_PORT": str(self.collector_port),
            "WEBAPP_PORT": str(self.webapp_port),
            "PROCESSORS": "1",
            **self.settings,
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "socorro", *arguments]

    def socorro(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line with these settings."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def is_up(self) -> bool:
        """Whether both doors are open and what is behind them works."""
        return all(heartbeat(address) == 200 for address in (self.collector, self.webapp))

    def post(self, annotations: Mapping[str, str], dump: Path | None = None) -> requests.Response:
        """Post a report; return the answer, whatever it is. Raises requests.RequestException."""
        files = {}
        if dump is not None:
            content = ("dump.dmp", dump.read_bytes(), "application/octet-stream")
            files["upload_file_minidump"] = content
        # As file parts without a name: requests would send annotations alone urlencoded.
        parts = {name: (None, value) for name, value in annotations.items()}
        return requests.post(f"{self.collector}/submit", files={**parts, **files}, timeout=60)

    def submit(self, annotations: Mapping[str, str], dump: Path | None = None) -> str:
        """Post a report; return its crash id."""
        response = self.post(annotations, dump)
        assert response.status_code == 200, response.text
        assert response.text.startswith("CrashID=bp-"), response.text
        return response.text.strip().removeprefix("CrashID=bp-")

    def processed_crash(self, crash_id: str) -> dict[str, Any] | None:
        """Return the processed crash from the API, None while there is none."""
        response = requests.get(
            f"{self.webapp}/api/ProcessedCrash/", params={"crash_id": crash_id}, timeout=30
        )
        return response.json() if response.status_code == 200 else None

    def wait_for_crash(self, crash_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """Return the processed crash once it is there."""
        return wait_until(f"{crash_id} processed", lambda: self.processed_crash(crash_id), seconds)


@dataclass
class Server(Installation):
    """`socorro run` on a data folder; may be started again after it ended."""

    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    def start(self, *, wait: bool = True) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command("run"), env=self.environ, stdout=log, stderr=log
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        try:
            wait_until("ready", self.is_ready, START_SECONDS)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.log.read_text(errors='replace')[-4000:]}"
            ) from error

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-4000:]
        return self.is_up()

    def stop(self) -> int:
        """Stop as Ctrl-C or a service manager does; return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def children(self) -> list[psutil.Process]:
        """Return the processes of the server, those of its children included."""
        if self.process is None or self.process.poll() is not None:
            return []
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill_everything(self) -> None:
        """kill -9 the supervisor and all its children at once."""
        victims = self.children()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for victim in victims:
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(victims, timeout=10)
