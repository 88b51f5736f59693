# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash ids as people give them: arguments, files and standard input."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from socorro.crash_id import InvalidCrashId, pasted_crash_id

_MOST_BAD_SHOWN = 20


@dataclass(frozen=True)
class Given:
    """One id as somebody gave it, and where: "argument 2", "line 17"."""

    place: str
    text: str


def given_ids(arguments: Iterable[str], files: Iterable[Path], stdin: TextIO) -> Iterator[Given]:
    """Yield what was given, without blank lines. "-" among the arguments is standard input.

    Raises click.UsageError for a file that cannot be read.
    """
    for number, argument in enumerate(arguments, start=1):
        if argument == "-":
            yield from _lines(stdin, "")
        else:
            yield Given(f"argument {number}", argument)
    for path in files:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from _lines(file, f"{path} ")
        except OSError as error:
            raise click.UsageError(f"{path} cannot be read: {error.strerror}") from error


def _lines(file: TextIO, name: str) -> Iterator[Given]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield Given(f"{name}line {number}", line.strip())


def read_ids(given: Iterable[Given]) -> tuple[list[str], list[str]]:
    """Return the crash ids, and a sentence for each text that is none."""
    crash_ids, bad = [], []
    for each in given:
        try:
            crash_ids.append(pasted_crash_id(each.text))
        except InvalidCrashId as error:
            bad.append(f"{each.place}: {error}")
    return crash_ids, bad


def show_bad(bad: Sequence[str]) -> None:
    """Tell of bad ids, of many only some."""
    for sentence in bad[:_MOST_BAD_SHOWN]:
        click.echo(sentence, err=True)
    if len(bad) > _MOST_BAD_SHOWN:
        click.echo(f"… and {len(bad) - _MOST_BAD_SHOWN:,} more", err=True)
