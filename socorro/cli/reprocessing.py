# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What `socorro reprocess` does."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

from socorro.cli.counting import Counter
from socorro.cli.given_ids import given_ids, read_ids, show_bad
from socorro.cli.selecting import Selection, search_here, search_there
from socorro.crash_id import date_of
from socorro.queue import QueueName, QueueUnavailable, open_queue
from socorro.queue.base import DEFAULT_RULESET
from socorro.reprocessing.destination import Destination, QueueDestination
from socorro.reprocessing.done_file import Done, WrongDoneFile, remembering
from socorro.reprocessing.pace import Pace
from socorro.reprocessing.sending import Manner, send
from socorro.reprocessing.server import OtherServer, ServerRefused
from socorro.reprocessing.stored import Days, Wanted, stored_crash_ids
from socorro.settings import Settings
from socorro.storage import StorageUnavailable, open_storage

_REFUSED = 1
_BAD_INPUT = 2
# What a shell says of a command that Ctrl-C ended.
_INTERRUPTED = 130
_OTHER_SERVERS_SLEEP = 1.0


@dataclass(frozen=True)
class Listed:
    """Crash ids that were given: as arguments ("-" for standard input) and in files."""

    arguments: Sequence[str]
    files: Sequence[Path]
    skip_bad: bool


@dataclass(frozen=True)
class Stored:
    """The crashes in raw storage, of some days, all or only those that are not processed."""

    days: Days
    missing: bool
    deferred: bool


@dataclass(frozen=True)
class Aim:
    """Where to: the queue of this name, or the server at `host`."""

    queue: str
    host: str | None
    token: str


@dataclass(frozen=True)
class Way:
    """How: see the options of the command."""

    ruleset: str
    rate: float | None
    sleep: float | None
    most_waiting: int | None
    done_file: Path | None
    dry_run: bool


def reprocess(
    settings: Settings, source: tuple[Listed, Selection] | Stored, aim: Aim, way: Way
) -> int:
    """Queue crashes; return the exit code.

    0, or 1 if bad ids were skipped or another server refused, or 2 if what was given kept all from
    being queued, or 130 if interrupted. Raises QueueUnavailable, SearchUnavailable,
    StorageUnavailable and click.UsageError.
    """
    destination = _destination(settings, aim)
    try:
        return _reprocess(settings, source, destination, way)
    except ServerRefused as error:
        click.echo(f"socorro reprocess: {error}", err=True)
        return _REFUSED
    except WrongDoneFile as error:
        click.echo(f"socorro reprocess: --resume: {error}", err=True)
        return _BAD_INPUT
    finally:
        destination.close()


def _destination(settings: Settings, aim: Aim) -> QueueDestination | OtherServer:
    if aim.host is None:
        queue = open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
        return QueueDestination(queue, QueueName(aim.queue))
    try:
        return OtherServer(aim.host, aim.token)
    except ValueError as error:
        raise click.UsageError(f"--host: {error}") from error


def _reprocess(
    settings: Settings,
    source: tuple[Listed, Selection] | Stored,
    destination: QueueDestination | OtherServer,
    way: Way,
) -> int:
    if isinstance(source, Stored):
        return _reprocess_stored(settings, source, destination, way)
    listed, selection = source
    crash_ids, bad = read_ids(given_ids(listed.arguments, listed.files, sys.stdin))
    show_bad(bad)
    if bad and not listed.skip_bad:
        click.echo("Nothing was queued; --skip-bad leaves such lines out.", err=True)
        return _BAD_INPUT
    # All of them before the first is queued: a crash with a new signature would leave the search.
    found = _found(settings, selection, destination) if selection else ()
    wanted = list(dict.fromkeys(chain(crash_ids, found)))
    if way.dry_run:
        _list(wanted, destination, way)
    else:
        code = _queue_listed(wanted, destination, way)
        if code:
            return code
    return 1 if bad else 0


def _found(
    settings: Settings, selection: Selection, destination: QueueDestination | OtherServer
) -> Iterator[str]:
    if isinstance(destination, OtherServer):
        return search_there(destination, selection)
    return search_here(settings, selection)


def _queue_listed(crash_ids: Sequence[str], destination: Destination, way: Way) -> int:
    with remembering(way.done_file, _what("ids", destination, way)) as done:
        before = frozenset(done.lines)
        left = [crash_id for crash_id in crash_ids if crash_id not in before]
        if before:
            left_out = len(crash_ids) - len(left)
            click.echo(f"{_crashes(left_out)} left out: queued before the interruption.", err=True)
        return _queue(left, Counter("Queueing", len(left)), destination, way, done)


def _reprocess_stored(
    settings: Settings, source: Stored, destination: Destination, way: Way
) -> int:
    wanted = Wanted(
        processed=not source.missing,
        # A part of the rules works on what is processed.
        unprocessed=way.ruleset == DEFAULT_RULESET,
        deferred=source.deferred,
    )
    raw = open_storage(settings.crash_storage)
    processed = open_storage(settings.processed_storage_url)
    if way.dry_run:
        crash_ids = wanted.of(stored_crash_ids(raw, source.days), processed)
        return _list(crash_ids, destination, way)
    with remembering(way.done_file, _what(repr(source), destination, way)) as done:
        after = done.lines[-1] if done.lines else None
        if after:
            click.echo(f"Goes on after {after}, where it was interrupted.", err=True)
        crash_ids = wanted.of(stored_crash_ids(raw, source.days, after), processed)
        return _queue(crash_ids, Counter("Queueing"), destination, way, done, by_day=True)


def _what(source: str, destination: Destination, way: Way) -> str:
    return f"reprocess {source} {destination.name}, ruleset {way.ruleset}"


def _queue(
    crash_ids: Iterable[str],
    counter: Counter,
    destination: Destination,
    way: Way,
    done: Done,
    *,
    by_day: bool = False,
) -> int:
    """Queue crashes and say how many; return the exit code. `by_day` ones come in an order, so
    that the last one tells what is done."""
    last = ""

    def sent(batch: list[str]) -> None:
        nonlocal last
        last = batch[-1]
        done.add([last] if by_day else batch)
        counter.add(len(batch), f"{date_of(last)}" if by_day else "")

    with counter:
        try:
            send(crash_ids, destination, _manner(way, destination), sent)
        except KeyboardInterrupt:
            _tell_how_far(counter, way, last if by_day else "")
            return _INTERRUPTED
        except (QueueUnavailable, StorageUnavailable, ServerRefused):
            _tell_how_far(counter, way, last if by_day else "")
            raise
    done.finish()
    click.echo(f"{_crashes(counter.done)} queued {destination.name}, ruleset {way.ruleset}.")
    return 0


def _list(crash_ids: Iterable[str], destination: Destination, way: Way) -> int:
    """Print the ids on standard output, and their number beside it."""
    number = 0
    for crash_id in crash_ids:
        click.echo(crash_id)
        number += 1
    would = "crash would be" if number == 1 else "crashes would be"
    click.echo(
        f"{number:,} {would} queued {destination.name}, ruleset {way.ruleset}; nothing was done.",
        err=True,
    )
    return 0


def _manner(way: Way, destination: Destination) -> Manner:
    usual = _OTHER_SERVERS_SLEEP if isinstance(destination, OtherServer) else 0.0
    sleep = usual if way.sleep is None else way.sleep
    return Manner(way.ruleset, Pace(way.rate, sleep), way.most_waiting)


def _tell_how_far(counter: Counter, way: Way, last: str) -> None:
    if not counter.done:
        return
    click.echo(f"{counter.so_far} crashes were queued.", err=True)
    if way.done_file:
        click.echo("The same command goes on there.", err=True)
    elif last:
        click.echo(f"It goes on with --to {date_of(last)}.", err=True)


def _crashes(number: int) -> str:
    return "1 crash is" if number == 1 else f"{number:,} crashes are"
