# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stopping at SIGTERM and SIGINT, for processes with loops of their own."""

import os
import signal
import threading
from contextlib import suppress


def stop_on_signals() -> threading.Event:
    """Return an event that is set when this process is asked to end. For the main thread.

    The event is set by a thread, not by the signal handler: a handler runs in the midst of what the
    main thread does, and where that is in `Event.wait`, setting the event would wait for ever for
    the lock that the main thread holds.
    """
    stopping = threading.Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def tell(*_: object) -> None:
        with suppress(BlockingIOError):
            os.write(writer, b".")

    def wait() -> None:
        os.read(reader, 1)
        stopping.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    return stopping
