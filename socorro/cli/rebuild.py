# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro search rebuild`: the index anew, from the processed crashes in storage."""

from datetime import date

import click

from socorro.search import SearchUnavailable, open_index
from socorro.search.rebuild import Rebuilt, last_days, rebuild
from socorro.settings import SettingError, Settings
from socorro.storage import StorageUnavailable, open_storage


def rebuild_search(settings: Settings, days: int) -> int:
    """Index the crashes of the last `days` days; return the exit code. Raises SettingError."""
    try:
        sums = rebuild(
            open_storage(settings.crash_storage),
            open_storage(settings.processed_storage_url),
            open_index(settings.search),
            last_days(days),
            progress=_show,
        )
    except StorageUnavailable as error:
        raise SettingError(f"CRASH_STORAGE={settings.crash_storage}: {error}.") from error
    except SearchUnavailable as error:
        raise SettingError(f"SEARCH={settings.search}: {error}.") from error
    click.echo(f"{sums.indexed} crashes are indexed; {sums.unprocessed} are not processed yet.")
    return 0


def _show(day: date, sums: Rebuilt) -> None:
    click.echo(f"{day}: {sums.indexed} indexed so far", err=True)
