# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Child processes that tests start, watch and kill."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition; fail when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.005)


@contextmanager
def running(output: Path, module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of the tests with its standard output in a file; kill -9 it at the end."""
    with output.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def lines(path: Path) -> list[str]:
    """Return the complete lines that a process has printed so far."""
    return path.read_text().split("\n")[:-1] if path.exists() else []
