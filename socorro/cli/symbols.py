# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro symbols add`: symbols into the store, crashes that missed them into the queue."""

import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from socorro.queue import QueueUnavailable, open_queue
from socorro.search import SearchIndex, SearchUnavailable, open_index
from socorro.settings import SettingError, Settings
from socorro.symbols import Stored, StoreUnavailable, add, requeue_missing_symbols

# A crash that was processed a moment ago is found by a search after about a second.
_INDEX_SECONDS = 5.0


def add_and_requeue(settings: Settings, paths: Sequence[Path], *, quiet: bool = False) -> int:
    """Add symbols and queue what missed them; return 0, or 1 if a file was refused.

    Raises SettingError.
    """
    console = Console(stderr=True)
    with console.status("Reading symbols") as status:
        try:
            result = add(paths, settings.symbol_store, progress=status.update)
        except StoreUnavailable as error:
            raise SettingError(f"SOCORRO_DATA: {error}") from error
        if result.added:
            status.update("Looking for crashes that missed them")
            _wait_for_index(open_index(settings.search))
        queued = _requeue(settings, result.stored)
    for refused in result.refused:
        click.echo(f"refused {refused.path}: {refused.reason}", err=True)
    if not quiet:
        click.echo(
            f"{len(result.added)} symbol files added, {len(result.unchanged)} were there already, "
            f"{len(result.refused)} refused; {queued} crashes are queued to be processed again."
        )
    return 1 if result.refused else 0


def _wait_for_index(index: SearchIndex) -> None:
    """Let the index take in what was processed until now, if there is a server that does it."""
    deadline = time.monotonic() + _INDEX_SECONDS
    while index.pending() and time.monotonic() < deadline:
        time.sleep(0.1)


def _requeue(settings: Settings, stored: Sequence[Stored]) -> int:
    try:
        index = open_index(settings.search)
        queue = open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
        return requeue_missing_symbols(stored, index, queue)
    except SearchUnavailable as error:
        raise SettingError(f"SEARCH={settings.search}: {error}.") from error
    except QueueUnavailable as error:
        raise SettingError(f"CRASH_QUEUE={settings.crash_queue}: {error}.") from error
