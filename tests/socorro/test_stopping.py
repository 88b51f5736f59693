# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A process that is asked to end does, whatever its main thread is doing."""

import signal
import subprocess
import sys

import pytest

# The main thread is within `Event.wait` most of the time, holding the event's lock.
_BUSY = """
from socorro.stopping import stop_on_signals
stopping = stop_on_signals()
print("ready", flush=True)
while not stopping.wait(0):
    pass
print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_midst_of_a_wait_ends_the_process(number: signal.Signals) -> None:
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", _BUSY], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(number)
            # A second one, as from an impatient Ctrl-C, is harmless.
            process.send_signal(number)
            assert process.communicate(timeout=20)[0] == b"ended\n"
            assert process.returncode == 0
