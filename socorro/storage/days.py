# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The folders of days in storage."""

import re
from datetime import date

_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


def day_named(name: str) -> date | None:
    """Return the day of a folder such as ``20261122``; None if it is not that of a day."""
    found = _DAY.fullmatch(name)
    if found is None:
        return None
    try:
        return date(*(int(number) for number in found.groups()))
    except ValueError:
        return None
