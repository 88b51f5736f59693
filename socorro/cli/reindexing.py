# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What `socorro reindex` does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click

from socorro.backends import verify
from socorro.cli.counting import Counter
from socorro.crash_id import date_of
from socorro.reprocessing.done_file import WrongDoneFile, remembering
from socorro.reprocessing.pace import Pace
from socorro.reprocessing.stored import Days, Wanted, stored_crash_ids
from socorro.search import SearchIndex, SearchUnavailable, open_index
from socorro.search.rebuild import Rebuilt, rebuild
from socorro.settings import Settings
from socorro.storage import CrashStorage, StorageUnavailable, open_storage

_BAD_INPUT = 2
_INTERRUPTED = 130
_CHUNK = 500


@dataclass(frozen=True)
class Reindexing:
    """Which crashes, and how: see the options of the command."""

    days: Days = Days()
    missing: bool = False
    rate: float | None = None
    done_file: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class _Stores:
    raw: CrashStorage
    processed: CrashStorage
    index: SearchIndex


def reindex(settings: Settings, wanted: Reindexing) -> int:
    """Index stored crashes; return the exit code: 0, 2 for a wrong file, 130 if interrupted.

    Raises SettingError, StorageUnavailable and SearchUnavailable.
    """
    verify(settings, ("CRASH_STORAGE", "PROCESSED_STORAGE", "SEARCH"))
    stores = _Stores(
        raw=open_storage(settings.crash_storage),
        processed=open_storage(settings.processed_storage_url),
        index=open_index(settings.search),
    )
    try:
        return _count(stores, wanted) if wanted.dry_run else _reindex(stores, wanted)
    except WrongDoneFile as error:
        click.echo(f"socorro reindex: --resume: {error}", err=True)
        return _BAD_INPUT
    finally:
        stores.index.close()


def _reindex(stores: _Stores, wanted: Reindexing) -> int:
    what = f"reindex {wanted.days!r}, missing {wanted.missing}"
    with remembering(wanted.done_file, what) as done, Counter("Indexing") as counter:
        after = done.lines[-1] if done.lines else None
        if after:
            click.echo(f"Goes on after {after}, where it was interrupted.", err=True)
        last = ""
        sums = Rebuilt()

        def progress(chunk: list[str], so_far: Rebuilt) -> None:
            nonlocal last, sums
            last, sums = chunk[-1], so_far
            done.add([last])
            counter.add(len(chunk), f"{date_of(last)}")

        try:
            sums = rebuild(
                stored_crash_ids(stores.raw, wanted.days, after),
                stores.processed,
                stores.index,
                missing_only=wanted.missing,
                pace=Pace(wanted.rate),
                progress=progress,
            )
        except KeyboardInterrupt:
            _tell_how_far(sums, last, wanted)
            return _INTERRUPTED
        except (SearchUnavailable, StorageUnavailable):
            _tell_how_far(sums, last, wanted)
            raise
        done.finish()
    click.echo(_sentence(sums))
    return 0


def _count(stores: _Stores, wanted: Reindexing) -> int:
    """Say what there is to index, without indexing it."""
    stored = processed = present = 0

    def counted() -> Iterator[str]:
        nonlocal stored
        for crash_id in stored_crash_ids(stores.raw, wanted.days):
            stored += 1
            yield crash_id

    with Counter("Looking") as counter:
        with_result = Wanted(unprocessed=False).of(counted(), stores.processed)
        while chunk := list(islice(with_result, _CHUNK)):
            processed += len(chunk)
            present += len(stores.index.containing(chunk))
            counter.add(len(chunk), f"{date_of(chunk[-1])}")
    number = processed - present if wanted.missing else processed
    click.echo(
        f"{number:,} {'crash' if number == 1 else 'crashes'} would be indexed; "
        f"{present:,} of {processed:,} processed ones are in the index, "
        f"{stored - processed:,} are not processed yet; nothing was done."
    )
    return 0


def _tell_how_far(sums: Rebuilt, last: str, wanted: Reindexing) -> None:
    if not last:
        return
    click.echo(_sentence(sums), err=True)
    where = (
        "The same command goes on there."
        if wanted.done_file
        else f"It goes on with --to {date_of(last)}."
    )
    click.echo(where, err=True)


def _sentence(sums: Rebuilt) -> str:
    parts: list[tuple[int, Callable[[int], str]]] = [
        (sums.present, lambda number: f"{number:,} were in the index already"),
        (sums.damaged, lambda number: f"{number:,} cannot be read"),
    ]
    more = "".join(f"; {say(number)}" for number, say in parts if number)
    crashes = "crash is" if sums.indexed == 1 else "crashes are"
    return f"{sums.indexed:,} {crashes} indexed; {sums.unprocessed:,} are not processed yet{more}."
