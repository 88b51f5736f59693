# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The first line of a symbol file: which module the symbols are for."""

import re
from dataclasses import dataclass

# The line holds four short words and a file name.
MAX_LINE = 1024
# Room for ``.sym.zst`` within the 255 bytes that file systems take.
_MAX_NAME_BYTES = 240
_WORD = re.compile(r"[A-Za-z0-9._+-]{1,64}")
# A UUID (or, of old Windows files, a timestamp) and an age, without separators.
_DEBUG_ID = re.compile(r"([0-9A-Fa-f]{32})([0-9A-Fa-f]{1,8})|([0-9A-Fa-f]{8})([0-9A-Fa-f]{1,8})")


class InvalidSymbols(ValueError):
    """A file is not a symbol file that can be stored. The text says why."""


@dataclass(frozen=True)
class Module:
    """A module that symbols are for.

    `debug_file` is a bare file name such as ``app.pdb``. `debug_id` is in the form that the
    stackwalker looks up: the UUID in upper case, the age in lower case without leading zeros.
    """

    os: str
    arch: str
    debug_id: str
    debug_file: str

    @property
    def file_name(self) -> str:
        """Name of the plain symbol file: that of the debug file, ``.pdb`` replaced by ``.sym``."""
        stem, dot, extension = self.debug_file.rpartition(".")
        is_pdb = bool(dot) and extension.lower() == "pdb"
        return f"{stem if is_pdb else self.debug_file}.sym"


def parse_module_line(line: bytes) -> Module:
    """Return the module that the first line of a symbol file names.

    The line comes from whoever made the file, and its parts become folder names: anything that
    could lead elsewhere raises InvalidSymbols.
    """
    try:
        words = line.decode().split(maxsplit=4)
    except UnicodeDecodeError as error:
        raise InvalidSymbols("its first line is not text") from error
    if not line.startswith(b"MODULE "):
        raise InvalidSymbols("it does not start with a MODULE line")
    if len(words) != 5 or not all(_WORD.fullmatch(word) for word in words[1:4]):
        raise InvalidSymbols("its MODULE line is not `MODULE os arch id name`")
    _, os, arch, debug_id, name = words
    return Module(os, arch, _canonical_id(debug_id), _checked_name(name.strip()))


def _canonical_id(text: str) -> str:
    match = _DEBUG_ID.fullmatch(text)
    if not match:
        raise InvalidSymbols("the id in its MODULE line is not a debug id")
    identity, age = match[1] or match[3], match[2] or match[4]
    if not int(identity, 16):
        raise InvalidSymbols("its debug id is all zeros, which no crash can be matched with")
    return f"{identity.upper()}{int(age, 16):x}"


def _checked_name(name: str) -> str:
    if not name or name in (".", "..") or "/" in name or "\\" in name:
        raise InvalidSymbols("the name in its MODULE line is not a bare file name")
    if not name.isprintable():
        raise InvalidSymbols("the name in its MODULE line has control characters")
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise InvalidSymbols(f"the name in its MODULE line is over {_MAX_NAME_BYTES} bytes long")
    return name
