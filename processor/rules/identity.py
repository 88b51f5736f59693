# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Who the crash is: its id, what came with it, what the collector said."""

import re
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MAX_KEY_LENGTH = 100


class Identifiers(Rule):
    """``crash_id`` and ``uuid``: the id under which the report is stored."""

    writes = frozenset({"crash_id", "uuid"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Take the id of the task, not the annotation: a client may have sent another."""
        return {"crash_id": crash.crash_id, "uuid": crash.crash_id}


class CrashReportKeys(Rule):
    """``crash_report_keys``: the names of the annotations and dumps of the report."""

    writes = frozenset({"crash_report_keys"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Take the names that are safe in a facet, cut to a length; say so if not all are."""
        names = {*crash.annotations, *crash.dumps}
        safe = {name[:_MAX_KEY_LENGTH] for name in names if _KEY.fullmatch(name)}
        if safe != names:
            crash.note("invalidkeys: Crash report contains invalid keys")
        return {"crash_report_keys": sorted(safe)}


class CollectorMetadata(Rule):
    """``collector_metadata`` and the checksum of the minidump."""

    writes = frozenset({"collector_metadata", "minidump_sha256_hash"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Copy what the collector stored beside the annotations."""
        metadata = crash.annotations.get("metadata")
        metadata = dict(metadata) if isinstance(metadata, dict) else {}
        checksums = metadata.get("dump_checksums")
        checksum = checksums.get("upload_file_minidump") if isinstance(checksums, dict) else None
        known = checksum if isinstance(checksum, str) else ""
        return {"collector_metadata": metadata, "minidump_sha256_hash": known}
