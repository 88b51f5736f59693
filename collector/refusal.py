# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the collector says when it does not take a report."""


class Refused(Exception):
    """A report is not taken. Carries what the client is told.

    `reason` names the counter and, after ``Discarded=``, the body of the answer; reasons of
    malformed reports have ``malformed_`` before them there, as clients know it.
    """

    def __init__(
        self,
        reason: str,
        status: int = 400,
        *,
        malformed: bool = True,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.malformed = malformed
        self.retry_after = retry_after

    @property
    def body(self) -> str:
        """The text of the answer."""
        return f"Discarded={'malformed_' if self.malformed else ''}{self.reason}"
