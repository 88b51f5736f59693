# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signatures that crashes had beside those that they get."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TextIO

FORMATS = ("text", "csv", "json", "markdown")

_CRASH_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Compared:
    """A crash with the signature it had and the one it gets."""

    crash_id: str
    old: str
    new: str
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        return self.old == self.new


def crash_id_in(text: str) -> str | None:
    """The id in an id, a bp- id or the address of a report; None if it holds none."""
    last = text.strip().partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2].lower()
    crash_id = last.removeprefix("bp-")
    return crash_id if _CRASH_ID.fullmatch(crash_id) else None


def ids_in(lines: Iterable[str]) -> Iterator[str]:
    """The lines that say something: without blank ones and comments."""
    return (line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def write(compared: Iterable[Compared], output: TextIO, format_: str) -> None:
    """Write the crashes as they come, in one of FORMATS."""
    _WRITERS[format_](compared, output)


def _text(compared: Iterable[Compared], output: TextIO) -> None:
    for crash in compared:
        output.write(f"{crash.crash_id}: {'same' if crash.same else 'different'}\n")
        output.write(f"  old: {printable(crash.old)}\n  new: {printable(crash.new)}\n")
        output.writelines(f"  note: {printable(note)}\n" for note in crash.notes)


def _csv(compared: Iterable[Compared], output: TextIO) -> None:
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(("crash_id", "old", "new", "same", "notes"))
    for crash in compared:
        same = "yes" if crash.same else "no"
        row = (crash.crash_id, crash.old, crash.new, same, "; ".join(crash.notes))
        writer.writerow([_no_formula(printable(cell)) for cell in row])


def _json(compared: Iterable[Compared], output: TextIO) -> None:
    between = "[\n"
    for crash in compared:
        output.write(between + json.dumps(asdict(crash) | {"same": crash.same}))
        between = ",\n"
    output.write("[]\n" if between == "[\n" else "\n]\n")


def _markdown(compared: Iterable[Compared], output: TextIO) -> None:
    output.write("| crash id | old | new | same | notes |\n| --- | --- | --- | --- | --- |\n")
    for crash in compared:
        same = "yes" if crash.same else "no"
        row = (crash.crash_id, crash.old, crash.new, same, "; ".join(crash.notes))
        cells = (printable(cell).replace("\\", "\\\\").replace("|", "\\|") for cell in row)
        output.write(f"| {' | '.join(cells)} |\n")


_WRITERS = {"text": _text, "csv": _csv, "json": _json, "markdown": _markdown}


def printable(text: str) -> str:
    """Without what a terminal would act on."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _no_formula(cell: str) -> str:
    """A cell that a spreadsheet does not compute."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
