# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A signature list as its editors see it: groups of lines, with a heading and with examples.

Blank lines part the groups. Examples are comments below the heading, with " | " between names:

    # C library: sorting
    #+ qsort | qsort_r
    #- qsortish
    qsort(_[rs])?$

A "#+" must match a line of its group, a "#-" none. To `socorro.signature.lists`, which reads
lists to use them, all of it is comment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from socorro.signature.lists import ListLine
from socorro.signature.stack import SEPARATOR

_WANTED, _UNWANTED = "#+ ", "#- "


@dataclass(frozen=True, slots=True)
class Example:
    """A frame's name that the group must match (`wanted`) or must not, and the line it is on."""

    line: int
    name: str
    wanted: bool


@dataclass(slots=True)
class Group:
    """Lines that belong together; `heading` is the comment above them, without "#"."""

    heading: list[str] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    lines: list[ListLine] = field(default_factory=list)


@dataclass(slots=True)
class ListFile:
    """A list: its groups, and the numbers of the lines that are not UTF-8."""

    path: Path
    groups: list[Group] = field(default_factory=list)
    not_utf_8: list[int] = field(default_factory=list)

    @property
    def lines(self) -> list[ListLine]:
        return [line for group in self.groups for line in group.lines]


def read(path: Path) -> ListFile:
    """The list in a file, without groups if there is no file; raises OSError."""
    file = ListFile(path)
    content = path.read_bytes() if path.exists() else b""
    group = Group()
    # The last blank line ends the last group.
    for number, raw in enumerate([*content.removeprefix(b"\xef\xbb\xbf").splitlines(), b""], 1):
        try:
            text = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            file.not_utf_8.append(number)
            continue
        if text:
            _add(group, ListLine(path.name, number, text))
        else:
            if group.lines or group.examples:
                file.groups.append(group)
            group = Group()
    return file


def _add(group: Group, line: ListLine) -> None:
    if line.text.startswith((_WANTED, _UNWANTED)):
        group.examples.extend(_examples(line))
    elif line.text.startswith("#"):
        group.heading.append(line.text.lstrip("# "))
    else:
        group.lines.append(line)


def _examples(line: ListLine) -> Iterator[Example]:
    for name in line.text[len(_WANTED) :].split(SEPARATOR):
        yield Example(line.line, name.strip(), line.text.startswith(_WANTED))
