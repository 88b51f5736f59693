# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signature: what engineers see as one problem."""

from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.signature import SignatureLists, from_processed_crash, generate

# What the conversion to signature input looks at.
_INPUT = frozenset(
    {
        "abort_message",
        "additional_minidumps",
        "async_shutdown_timeout",
        "crashing_thread",
        "hang",
        "ipc_channel_error",
        "ipc_message_name",
        "java_exception",
        "js_large_allocation_failure",
        "json_dump",
        "mdsw_status_string",
        "oom_allocation_size",
        "os_name",
        "reason",
    }
)


class Signature(Rule):
    """``signature``, ``proto_signature``, and how they came about."""

    reads = _INPUT
    writes = frozenset({"proto_signature", "signature", "signature_debug"})

    def __init__(self, lists: SignatureLists) -> None:
        self._lists = lists

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Generate it from what the rules before have found."""
        result = generate(from_processed_crash(crash.processed), self._lists)
        crash.notes.extend(result.notes)
        fields: dict[str, Any] = {
            "signature": result.signature,
            "signature_debug": "\n".join(str(entry) for entry in result.trail),
        }
        if result.proto_signature is not None:
            fields["proto_signature"] = result.proto_signature
        return fields
