# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash ids that clients bring along: for those who hold the token, and nobody else."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.reading.notes import Notes
from collector.refusal import Refused
from socorro.crash_id import Throttle, date_of, is_crash_id, throttle_of
from socorro.metrics import METRICS
from socorro.settings import Settings


def submitted_crash_id(
    annotations: Mapping[str, Any], authorization: str | None, notes: Notes, settings: Settings
) -> str | None:
    """Return the crash id that the client may choose, None if the collector is to make one.

    Raises Refused for an id that is none although the token is right, and for a missing token if
    the settings say so.
    """
    if "uuid" not in annotations:
        return None
    if not _is_authorized(authorization, settings.submit_uuid_token):
        METRICS.incr("collector.breakpad_resource.unauthorized_uuid")
        if settings.refuse_unauthorized_uuid:
            raise Refused("unauthorized_uuid", 401, malformed=False)
        notes.add("ignored the uuid of the client, which had no valid token")
        return None
    crash_id = annotations["uuid"]
    if not is_crash_id(crash_id) or not _is_plausible(crash_id):
        raise Refused("invalid_uuid")
    return str(crash_id)


def _is_authorized(authorization: str | None, token: str) -> bool:
    scheme, _, offered = (authorization or "").partition(" ")
    # An empty setting means that nobody may choose, not that an empty token will do.
    if not token or scheme.lower() != "bearer":
        return False
    # WSGI hands the header's bytes on as latin-1.
    return hmac.compare_digest(offered.strip().encode("latin-1", "replace"), token.encode())


def _is_plausible(crash_id: str) -> bool:
    """Say whether the id is one that a collector may have made: of a report that was stored."""
    # A day of slack, for a client's clock that is ahead.
    latest = (datetime.now(UTC) + timedelta(days=1)).date()
    stored = (Throttle.ACCEPT, Throttle.DEFER)
    return throttle_of(crash_id) in stored and date_of(crash_id) <= latest
