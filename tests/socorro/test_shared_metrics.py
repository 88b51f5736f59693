# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The folder in which the processes of a server share their metrics."""

import subprocess
import sys
from pathlib import Path

SHARE = """
import sys
from socorro.shared_metrics import share_metrics
print(share_metrics(), flush=True)
sys.stdin.read()
"""


def server() -> tuple[subprocess.Popen[str], Path]:
    """Start a process that shares metrics until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", SHARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_folder_of_a_server_that_was_killed_is_deleted_by_the_next() -> None:
    killed, abandoned = server()
    living, in_use = server()
    try:
        assert abandoned.is_dir()
        killed.kill()
        killed.communicate()
        another, _ = server()
        another.kill()
        another.communicate()
        assert not abandoned.exists()
        assert in_use.is_dir()
        assert in_use.stat().st_mode & 0o777 == 0o700
    finally:
        living.kill()
        living.communicate()
        last, folder = server()
        last.communicate()
        folder.rmdir()
