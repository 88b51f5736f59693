# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A child process of the supervisor: started, watched, started again, stopped."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

logger = logging.getLogger(__name__)

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 10.0
# A child that ran so long before it died did not die of its start.
_HEALTHY_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
# Tells a child the process id of its supervisor.
_SUPERVISOR = "SOCORRO_SUPERVISOR"


class Child:
    """One command of this program, run in a process of its own."""

    def __init__(self, name: str, arguments: Sequence[str], *, restart: bool = True) -> None:
        self.name = name
        self._command = [sys.executable, "-m", "socorro", *arguments]
        self._restart = restart
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = _FIRST_DELAY
        self._start_at = 0.0

    def start(self) -> None:
        """Start the process; it ends with the supervisor, however that ends.

        A session of its own keeps a terminal's Ctrl-C from it: children are stopped in order.
        """
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, _SUPERVISOR: str(os.getpid())},
        )
        self._started = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Exit code of the process that ended last, None while it lives."""
        return None if self._process is None else self._process.poll()

    def keep_alive(self) -> None:
        """Start the process again if it died, later and later while it dies at once."""
        if not self._restart or self.running:
            return
        now = time.monotonic()
        if not self._start_at:
            if self.exit_code == 0 or now - self._started > _HEALTHY_SECONDS:
                self._delay = _FIRST_DELAY
            logger.log(
                logging.ERROR if self.exit_code else logging.INFO,
                "%s ended with %s; starting it again in %g s",
                self.name,
                describe_exit(self.exit_code),
                self._delay,
            )
            self._start_at = now + self._delay
            self._delay = min(self._delay * 2, _LONGEST_DELAY)
        elif now >= self._start_at:
            self._start_at = 0.0
            self.start()

    def terminate(self) -> None:
        """Ask the process to finish its work and stop."""
        if self._process is not None and self.running:
            self._process.terminate()

    def hang_up(self) -> None:
        """Ask the process to read its configuration again."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGHUP)

    def wait(self, deadline: float) -> None:
        """Wait until the process ended; at `deadline` (monotonic) kill it with its children."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("%s did not stop in time and is killed", self.name)
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def describe_exit(code: int | None) -> str:
    """Say in words how a process ended."""
    if code is None:
        return "nothing"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def end_with_supervisor() -> None:
    """Have the kernel end this process with SIGTERM when its supervisor ends, if it has one.

    It stays in force when the process becomes gunicorn.
    """
    supervisor = os.environ.pop(_SUPERVISOR, None)
    if supervisor is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if str(os.getppid()) != supervisor:
        # It ended before the kernel was asked.
        sys.exit(1)
