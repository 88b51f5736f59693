# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reset`: throw all crashes away and begin anew."""

import shutil
from pathlib import Path

import click

from socorro.backends import verify
from socorro.cli.preflight import claim_data_folder
from socorro.crash_id import is_crash_id
from socorro.settings import SettingError, Settings


def reset_everything(settings: Settings, *, ask: bool) -> int:
    """Wipe storage, queue, index and database and make them anew; return the exit code.

    Symbols and the secret key stay. Refuses while a server runs. Raises SettingError.
    """
    _check_that_all_is_here(settings)
    # Held until this process ends: no server may start meanwhile.
    _instance = claim_data_folder(settings, "stop it with `socorro stop` before a reset")
    doomed = [path for path in _doomed(settings) if path.exists()]
    if ask and not _confirmed(doomed):
        click.echo("Nothing was deleted.")
        return 0
    for path in doomed:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    verify(settings)
    from webapp.prepare import prepare

    prepare()
    click.echo(f"All crashes are deleted; {settings.data} begins anew.")
    return 0


def _check_that_all_is_here(settings: Settings) -> None:
    """Raise SettingError for engines that others may use too: nobody wipes those in passing."""
    embedded = {
        "CRASH_STORAGE": (settings.crash_storage, "fs://"),
        "FALLBACK_STORAGE": (settings.fallback_storage or "fs://", "fs://"),
        "PROCESSED_STORAGE": (settings.processed_storage_url, "fs://"),
        "TELEMETRY_STORAGE": (settings.telemetry_storage or "fs://", "fs://"),
        "CRASH_QUEUE": (settings.crash_queue, "local://"),
        "SEARCH": (settings.search, "embedded://"),
        "DATABASE_URL": (settings.database_url, "sqlite://"),
    }
    elsewhere = [name for name, (url, scheme) in embedded.items() if not url.startswith(scheme)]
    if elsewhere:
        raise SettingError(
            f"{', '.join(elsewhere)}: a reset deletes what lies in folders of this machine; empty "
            "the others with their own tools."
        )


def _confirmed(doomed: list[Path]) -> bool:
    click.echo("This deletes all crashes, the queue, the index and the database:")
    for path in doomed:
        click.echo(f"  {path}")
    return click.confirm("Delete them?", default=False)


def _doomed(settings: Settings) -> list[Path]:
    """Return what the embedded backends made; never a whole folder that a setting names."""
    paths: list[Path] = []
    urls = {
        settings.crash_storage,
        settings.fallback_storage,
        settings.processed_storage_url,
        settings.telemetry_storage,
    }
    for url in sorted(urls - {""}):
        root = Path(url.partition("://")[2])
        paths += [root / "v1", root / "spool"]
    queue = Path(settings.crash_queue.partition("://")[2]) / "queue.db"
    search = Path(settings.search.partition("://")[2])
    database = Path(settings.database_url.removeprefix("sqlite://")[1:])
    for file in (queue, search / "outbox.db", database):
        paths += [file, *(file.with_name(file.name + tail) for tail in ("-wal", "-shm"))]
    unpublished = sorted(path for path in settings.unpublished.glob("*") if is_crash_id(path.name))
    return [*paths, *unpublished, *sorted(search.glob("index-*")), search / "indexer.lock"]
