# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Where the signature comes from: Java or a native stack."""

from socorro.signature import java, stack
from socorro.signature.draft import Draft


def sign(draft: Draft) -> None:
    """Make the first signature: of a Java stack trace, else a Java exception, else the stack."""
    sign_as_if_crashed_in(draft, draft.crash.crashing_thread)


def rename_shutdown_hang(draft: Draft) -> None:
    """ "shutdownhang | X": the watchdog ends the process, but the main thread is what hangs."""
    if "RunWatchdog" in draft.signature:
        before = draft.signature
        sign_as_if_crashed_in(draft, 0)
        # A stack of frames without names says less than the one of the watchdog.
        draft.signature = draft.signature or before
        draft.prepend("shutdownhang")


def sign_as_if_crashed_in(draft: Draft, thread: int) -> None:
    if draft.crash.java_stack_trace:
        java.sign_stack_trace(draft)
    elif draft.crash.java_exception:
        java.sign_exception(draft)
    else:
        stack.sign_thread(draft, thread)
