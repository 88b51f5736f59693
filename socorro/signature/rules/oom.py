# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Out of memory: the place that failed says little, the size of the request more."""

from socorro.signature.draft import Draft

# An allocation of this many bytes at most can fail anywhere, so that the place tells nothing.
_SMALL_BYTES = 262_144

_SIGNATURE_PARTS = (
    "NS_ABORT_OOM",
    "mozalloc_handle_oom",
    "CrashAtUnhandlableOOM",
    "AutoEnterOOMUnsafeRegion",
    "alloc::oom::oom",
)
_LAST_ERRORS = ("ERROR_COMMITMENT_LIMIT", "ERROR_NOT_ENOUGH_MEMORY")
_REASONS = ("STATUS_FATAL_MEMORY_EXHAUSTION", "STATUS_NO_MEMORY")


def mark_out_of_memory(draft: Draft) -> None:
    """ "OOM | small", "OOM | large | X" or "OOM | unknown | X"."""
    size = draft.crash.oom_allocation_size
    if not (size or _looks_like_it(draft)):
        return
    if _is_reported(draft):
        draft.prepend("OOM | large")
    elif size is None:
        draft.prepend("OOM | unknown")
    elif size <= _SMALL_BYTES:
        draft.signature = "OOM | small"
    else:
        draft.prepend("OOM | large")


def _is_reported(draft: Draft) -> bool:
    """Whether the JavaScript engine crashed on purpose: a large allocation failed."""
    return draft.crash.js_large_allocation_failure == "Reporting"


def _looks_like_it(draft: Draft) -> bool:
    if not draft.signature:  # its only frames have no names, so there is nothing to add to
        return False
    thread = draft.crash.thread(draft.crash.crashing_thread)
    return (
        any(part in draft.signature for part in _SIGNATURE_PARTS)
        or thread.get("last_error_value") in _LAST_ERRORS
        or draft.crash.reason in _REASONS
        or _is_reported(draft)
    )
