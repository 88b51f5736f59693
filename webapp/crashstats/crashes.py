# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stored crashes as a viewer may see them."""

from typing import Any

from socorro.fields import public_processed_crash, public_raw_crash
from webapp.crashstats import handles
from webapp.crashstats.access import Viewer


def processed_crash(crash_id: str, viewer: Viewer) -> dict[str, Any]:
    """Return a processed crash without what is hidden from the viewer.

    Raises CrashNotFound, and StorageError when it cannot be read.
    """
    processed = handles.processed_storage().load_processed_crash(crash_id)
    return processed if viewer.may_see_protected else public_processed_crash(processed)


def raw_crash(crash_id: str, viewer: Viewer) -> dict[str, Any]:
    """Return the annotations of a report without what is hidden from the viewer.

    Raises CrashNotFound, and StorageError when they cannot be read.
    """
    raw = handles.raw_storage().load_raw_crash(crash_id)
    return raw if viewer.may_see_protected else public_raw_crash(raw)
