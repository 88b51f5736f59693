# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the circumstances of a crash add to its signature."""

from socorro.signature.draft import Draft


def name_stackwalker_error(draft: Draft) -> None:
    """ "EMPTY: ...; HeaderMismatch": why there is no stack."""
    status = draft.crash.mdsw_status_string
    if status and draft.signature.startswith("EMPTY"):
        draft.signature = f"{draft.signature}; {status}"


def mark_bad_hardware(draft: Draft) -> None:
    """ "bad hardware | X": Windows could not read from the disk."""
    if "STATUS_DEVICE_DATA_ERROR" in draft.crash.reason:
        draft.prepend("bad hardware")


def mark_stack_overflow(draft: Draft) -> None:
    """ "stackoverflow | X"."""
    if draft.crash.reason == "EXCEPTION_STACK_OVERFLOW":
        draft.prepend("stackoverflow")


def mark_hang(draft: Draft) -> None:
    """ "hang: ui | X": the process did not crash, it was killed because it hung."""
    if draft.crash.hang is not None:
        draft.prepend(f"hang: {draft.crash.hang}")
