# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A clock that tests set."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Callable like `cron.lease.utc_now`; stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time that was set."""
        return self.now

    def advance(self, **parts: float) -> None:
        """Move on (or back) by a timedelta of these parts."""
        self.now += timedelta(**parts)
