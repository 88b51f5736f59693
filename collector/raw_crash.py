# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The raw crash: a report's annotations with what the collector adds and takes away."""

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from collector.reading.dumps import Spool
from collector.reading.payload import Payload
from collector.reading.spill import json_pieces

# Version of the layout of the collector's own keys; processors read it.
_VERSION = 2
# The keys that are the collector's, whatever a client sends.
_OWN = frozenset({"metadata", "submitted_timestamp", "uuid", "version"})


def raw_crash_of(
    payload: Payload, *, received_at: datetime, user_agent: str | None
) -> dict[str, Any]:
    """Return the raw crash as the throttler sees it: without crash id, with everything sent.

    `received_at` is aware. A client's own `metadata`, `version` and `submitted_timestamp` are
    replaced.
    """
    return {
        **payload.annotations,
        "submitted_timestamp": received_at.isoformat(timespec="microseconds"),
        "version": _VERSION,
        "metadata": {
            "payload": "json" if payload.as_json else "multipart",
            "payload_compressed": "1" if payload.compressed else "0",
            "payload_size": payload.received,
            "dump_checksums": {name: dump.sha256 for name, dump in payload.dumps.items()},
            "user_agent": str(user_agent),
        },
    }


def finished_raw_crash(
    raw_crash: Mapping[str, Any],
    *,
    crash_id: str,
    throttle_rule: str,
    removed: Collection[str],
    payload: Payload,
    spool: Spool,
) -> Mapping[str, Any] | Path:
    """Return the raw crash as it is stored; one too large for memory as a file in the spool.

    It has its crash id and the notes, and lacks the annotations that must not be stored. Raises
    StorageUnavailable when the file cannot be written.
    """
    for name in removed:
        if name in payload.annotations:
            payload.notes.add(f"Removed {name} from raw crash.")
    kept = {name: value for name, value in raw_crash.items() if name not in removed}
    kept["uuid"] = crash_id
    kept["metadata"] = {
        **raw_crash["metadata"],
        "throttle_rule": throttle_rule,
        "collector_notes": payload.notes.texts(),
    }
    if not payload.are_large:
        return kept
    spilled = {name: it for name, it in payload.spilled.items() if name not in _OWN}
    return spool.write_annotations(json_pieces(kept, spilled, spool.spill()))
