# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""From Python's spelling of regular expressions, in which lists are written, to RE2's.

RE2 knows the same constructs (but for look-around and back-references, which cannot be matched in
linear time), and means something else by a few of them.
"""

import re

# An escape, a class of characters ("]" belongs to it where it comes first), or what can matter.
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$|\{,", re.DOTALL)
_ESCAPE = re.compile(r"\\.", re.DOTALL)

# Python counts the letters, digits and spaces of all scripts, RE2 those of ASCII.
_DIGITS = r"\p{Nd}"
_WORDS = r"\p{L}\p{N}_"
_SPACES = r"\s\x0b\x1c-\x1f\x{85}\p{Z}"

_IN_CLASS = {r"\d": _DIGITS, r"\w": _WORDS, r"\s": _SPACES, r"\_": "_"}
_OUTSIDE = {
    r"\d": f"[{_DIGITS}]",
    r"\D": f"[^{_DIGITS}]",
    r"\w": f"[{_WORDS}]",
    r"\W": f"[^{_WORDS}]",
    r"\s": f"[{_SPACES}]",
    r"\S": f"[^{_SPACES}]",
    r"\Z": r"\z",
    r"\_": "_",
    # Python's matches before a last line end as well.
    "$": r"(?:\n?\z)",
    "{,": "{0,",
}


def in_re2_spelling(pattern: str) -> str:
    """The pattern as RE2 is to be given it, for one that is to match at the start of a name."""
    return _TOKEN.sub(_respelled, pattern)


def _respelled(token: re.Match[str]) -> str:
    text = token[0]
    if text.startswith("["):
        return _ESCAPE.sub(lambda escape: _IN_CLASS.get(escape[0], escape[0]), text)
    return _OUTSIDE.get(text, text)
