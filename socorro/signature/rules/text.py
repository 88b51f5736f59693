# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The last word on every signature: printable, evenly spaced and short."""

import re

from socorro.signature.draft import Draft

MAX_CHARS = 255
_NOT_PRINTABLE = re.compile("[^ -~]+")


def printable(text: str) -> str:
    """The printable ASCII characters of a text, without spaces at its ends."""
    return _NOT_PRINTABLE.sub("", text).strip()


def keep_printable_characters(draft: Draft) -> None:
    """Drop what is not printable ASCII, tabs and line ends included."""
    cleaned = printable(draft.signature)
    if cleaned != draft.signature:
        draft.signature = cleaned
        draft.note("characters that are not printable ASCII are left out")


def fold_whitespace(draft: Draft) -> None:
    """One space between words, none at the ends."""
    draft.signature = " ".join(draft.signature.split())


def truncate(draft: Draft) -> None:
    """At most 255 characters; a longer signature ends in "..."."""
    if len(draft.signature) > MAX_CHARS:
        draft.signature = f"{draft.signature[: MAX_CHARS - 3]}..."
        draft.note("the signature is cut: it is too long")
