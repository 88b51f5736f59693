# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""SIGHUP means two things: read the configuration again, or the terminal has gone."""

import os
import signal


class HangUps:
    """Notes SIGHUPs that this process gets. To be made in the main thread."""

    def __init__(self) -> None:
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        # Under nohup the end of the terminal is to be survived.
        self._on_terminal = not ignored and _has_terminal()
        self._noted = False
        signal.signal(signal.SIGHUP, self._note)

    def _note(self, *_: object) -> None:
        self._noted = True

    def taken(self) -> bool:
        """Say whether there was a signal since the last call."""
        noted, self._noted = self._noted, False
        return noted

    def terminal_gone(self) -> bool:
        """Say whether the terminal in which this process was started has been closed."""
        return self._on_terminal and not _has_terminal()


def _has_terminal() -> bool:
    """Say whether this process belongs to a session with a terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
