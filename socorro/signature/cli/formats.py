# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Signed crashes as text, CSV, JSON or Markdown; each is written as it comes."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from socorro.signature.cli.reading import printable
from socorro.signature.cli.signing import Signed
from socorro.signature.result import Result

_COLUMNS = ("crash", "old", "new", "same", "notes")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(signed: Iterable[Signed], output: TextIO, format_: str, *, verbose: bool) -> None:
    """Write the crashes in one of the formats of the command line."""
    if format_ == "json":
        write_array((_document(each, verbose) for each in signed), output)
    elif format_ == "text":
        output.writelines(line for each in signed for line in _text(each, verbose))
    else:
        write_table(_COLUMNS, (_row(each, verbose) for each in signed), output, format_)


def write_array(documents: Iterable[dict[str, Any]], output: TextIO) -> None:
    """A JSON array; what was written until an error is one as well."""
    before = "[\n"
    try:
        for document in documents:
            output.write(before + json.dumps(document))
            before = ",\n"
    finally:
        output.write("[]\n" if before == "[\n" else "\n]\n")


def write_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], output: TextIO, format_: str
) -> None:
    """A table, as "csv" or "markdown"."""
    if format_ == "csv":
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_no_formula(printable(cell)) for cell in row] for row in rows)
        return
    output.write(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n")
    for row in rows:
        output.write(f"| {' | '.join(_escaped(cell) for cell in row)} |\n")


def _document(signed: Signed, verbose: bool) -> dict[str, Any]:
    return {
        "crash": signed.label,
        "old": signed.old,
        "same": None if signed.old is None else signed.same,
        **signed.result.document(verbose=verbose),
    }


def _row(signed: Signed, verbose: bool) -> tuple[str, ...]:
    same = "" if signed.old is None else "yes" if signed.same else "no"
    notes = [*signed.result.notes, *(_explanation(signed.result) if verbose else ())]
    return (signed.label, signed.old or "", signed.result.signature, same, "; ".join(notes))


def _text(signed: Signed, verbose: bool) -> Iterator[str]:
    """The signature alone, or, if there was one before, the two of them."""
    if signed.old is None:
        yield f"{signed.result.signature}\n"
    else:
        yield f"{printable(signed.label)}: {'same' if signed.same else 'different'}\n"
        yield f"  old: {printable(signed.old)}\n"
        yield f"  new: {signed.result.signature}\n"
    for note in signed.result.notes if verbose or signed.old is not None else ():
        yield f"  note: {printable(note)}\n"
    if verbose:
        yield from (f"  {line}\n" for line in _explanation(signed.result))


def _explanation(result: Result) -> Iterator[str]:
    """What each frame and each rule did, a line each."""
    for entry in result.trail:
        yield printable(f"frame {entry.frame:>2}: {entry.name or '(no name)'}")
        if entry.given not in ("", entry.name):
            yield printable(f"          from: {entry.given}")
        yield f"          {entry.action}"
        yield from (printable(f"          by {match}") for match in entry.matches)
    for step in result.steps:
        yield printable(f"{step.rule}: {step.after}")


def _escaped(cell: str) -> str:
    return printable(cell).replace("\\", "\\\\").replace("|", "\\|").replace("<", "\\<")


def _no_formula(cell: str) -> str:
    """A cell that a spreadsheet does not compute."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
