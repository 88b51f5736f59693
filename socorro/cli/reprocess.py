# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reprocess`: stored crashes into a queue, to be processed again."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TextIO

import click
from rich.console import Console
from rich.progress import Progress

from socorro.cli.latest import latest_crash_ids
from socorro.crash_id import InvalidCrashId, pasted_crash_id
from socorro.queue import CrashQueue, QueueName, QueueUnavailable, Task, open_queue
from socorro.settings import Settings

_BATCH = 500
_MOST_BAD_SHOWN = 20
_BAD_INPUT = 2


@dataclass(frozen=True)
class Selection:
    """Which crashes the index is asked for: the `last` ones, all of a year if that is None."""

    last: int | None = None
    product: str | None = None
    signature: str | None = None

    def __bool__(self) -> bool:
        return self != Selection()


@dataclass(frozen=True)
class Given:
    """One id as somebody gave it, and where: "argument 2", "line 17"."""

    place: str
    text: str


def reprocess(
    settings: Settings,
    arguments: Sequence[str],
    selection: Selection,
    *,
    ruleset: str,
    queue: str,
    skip_bad: bool,
) -> int:
    """Queue crashes; return 0, or 1 if bad ids were skipped, or 2 if they kept all from being
    queued.

    `arguments` are crash ids or addresses of reports; "-" stands for those on standard input, one
    a line. Raises QueueUnavailable and SearchUnavailable.
    """
    crash_ids, bad = _read(given_ids(arguments, sys.stdin))
    _show_bad(bad)
    if bad and not skip_bad:
        click.echo("Nothing was queued; --skip-bad leaves such lines out.", err=True)
        return _BAD_INPUT
    found = _found(settings, selection) if selection else ()
    wanted = list(dict.fromkeys(chain(crash_ids, found)))
    opened = open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
    try:
        _publish(opened, QueueName(queue), [Task(crash_id, ruleset) for crash_id in wanted])
    finally:
        opened.close()
    crashes = "crash is" if len(wanted) == 1 else "crashes are"
    click.echo(f"{len(wanted):,} {crashes} queued in {queue}, ruleset {ruleset}.")
    return 1 if bad else 0


def given_ids(arguments: Iterable[str], stdin: TextIO) -> Iterator[Given]:
    """Yield what was given, without blank lines."""
    for number, argument in enumerate(arguments, start=1):
        if argument != "-":
            yield Given(f"argument {number}", argument)
            continue
        for line_number, line in enumerate(stdin, start=1):
            if line.strip():
                yield Given(f"line {line_number}", line.strip())


def _read(given: Iterable[Given]) -> tuple[list[str], list[str]]:
    """Return the crash ids, and a sentence for each text that is none."""
    crash_ids, bad = [], []
    for each in given:
        try:
            crash_ids.append(pasted_crash_id(each.text))
        except InvalidCrashId as error:
            bad.append(f"{each.place}: {error}")
    return crash_ids, bad


def _show_bad(bad: Sequence[str]) -> None:
    for sentence in bad[:_MOST_BAD_SHOWN]:
        click.echo(sentence, err=True)
    if len(bad) > _MOST_BAD_SHOWN:
        click.echo(f"… and {len(bad) - _MOST_BAD_SHOWN:,} more", err=True)


def _found(settings: Settings, selection: Selection) -> Iterator[str]:
    count = sys.maxsize if selection.last is None else selection.last
    return latest_crash_ids(
        settings, count, product=selection.product, signature=selection.signature
    )


def _publish(queue: CrashQueue, name: QueueName, tasks: Sequence[Task]) -> None:
    """Publish in batches; says how far it came if the queue fails on the way."""
    done = 0
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Queueing", total=len(tasks))
        for batch in _batches(tasks):
            try:
                queue.publish(name, batch)
            except QueueUnavailable:
                if done:
                    click.echo(f"{done:,} of {len(tasks):,} crashes were queued.", err=True)
                raise
            done += len(batch)
            progress.update(bar, completed=done)


def _batches(tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    return (tasks[start : start + _BATCH] for start in range(0, len(tasks), _BATCH))
