# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signature: what engineers see as one problem."""

from collections.abc import Iterator, Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.signature import Result
from socorro.signing import Signer

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
        "java_stack_trace",
        "js_large_allocation_failure",
        "json_dump",
        "mdsw_status_string",
        "oom_allocation_size",
        "os_name",
        "reason",
    }
)

# For people: names and signatures of hostile crashes may be longer.
_MAX_LINE_CHARS = 2_048


class Signature(Rule):
    """``signature``, ``proto_signature``, and how they came about."""

    reads = _INPUT
    writes = frozenset({"proto_signature", "signature", "signature_debug"})

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Generate it from what the rules before have found."""
        result = self._signer.sign(crash.processed)
        crash.notes.extend(result.notes)
        fields: dict[str, Any] = {
            "signature": result.signature,
            "signature_debug": debug_text(result),
        }
        if result.proto_signature is not None:
            fields["proto_signature"] = result.proto_signature
        return fields


class ShutdownHang(Rule):
    """``crashing_thread`` of a shutdown that hung: the main thread.

    The thread that crashed is the watchdog's, which is of no interest to anybody.
    """

    reads = frozenset({"signature"})
    writes = frozenset({"crashing_thread"})

    def applies(self, crash: Crash) -> bool:
        """Only where the signature says so."""
        return str(crash.processed.get("signature")).startswith("shutdownhang")

    def act(self, crash: Crash) -> Mapping[str, Any]:  # noqa: ARG002 - there is one answer
        """Point to the first thread."""
        return {"crashing_thread": 0}


def debug_text(result: Result) -> str:
    """Return the trail and the steps of a signature, a line each."""
    return "\n".join(line[:_MAX_LINE_CHARS] for line in _lines(result))


def _lines(result: Result) -> Iterator[str]:
    for entry in result.trail:
        yield str(entry)
    for step in result.steps:
        before = f"{step.before!r} -> " if step.before else ""
        yield f"{step.rule}: {before}{step.after!r}"
