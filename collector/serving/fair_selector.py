# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Waiting for a listener that many processes wait for, without waking all of them."""

import select
import selectors
import socket

_EXCLUSIVE = select.EPOLLIN | select.EPOLLEXCLUSIVE


class FairSelector(selectors.EpollSelector):
    """A selector where a new connection wakes one of the processes that wait for its listener.

    A plain one wakes all of them, of which all but one find nothing: with many cores that costs
    more than the report. The kernel wakes whoever waits longest, and a registered listener waits
    since it was registered; so a process that takes a connection goes to the end of the line with
    `requeue`, and all get their share.
    """

    def requeue(self, listener: socket.socket) -> None:
        """Wait for a registered listener as one of many, as the last of them.

        A connection that is waiting already is seen at once.
        """
        descriptor = listener.fileno()
        # The kernel takes the flag only with a new registration.
        self._selector.unregister(descriptor)  # type: ignore[attr-defined]
        self._selector.register(descriptor, _EXCLUSIVE)  # type: ignore[attr-defined]
