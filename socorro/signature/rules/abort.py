# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Deliberate aborts: the message says what was wrong."""

from socorro.signature.crash_data import MAX_TEXT_CHARS
from socorro.signature.draft import Draft
from socorro.signature.rules.text import printable

_MARK = "###!!! ABORT:"
_MAX_CHARS = 80


def name_abort(draft: Draft) -> None:
    """ "Abort | message | X"."""
    message = draft.crash.abort_message
    if not message:
        return
    if f"{_MARK} file " in message:  # there is a place but no message
        draft.prepend("Abort")
    else:
        draft.prepend(f"Abort | {_condensed(message)}")


def _condensed(message: str) -> str:
    before, mark, after = message.partition(_MARK)
    message = (after if mark else before).partition(": file ")[0]
    if "unable to find a usable font" in message:
        message = _without_parentheses(message)
    message = printable(message[:MAX_TEXT_CHARS])
    if len(message) > _MAX_CHARS:
        message = f"{message[: _MAX_CHARS - 3]}..."
    return message


def _without_parentheses(message: str) -> str:
    """The message without what stands between its first "(" and its last ")": a font's name."""
    start, end = message.find("("), message.rfind(")")
    return message if -1 in (start, end) else message[:start] + message[end + 1 :]
