# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reset`: throw all crashes away and begin anew."""

import shutil
from pathlib import Path

import click

from socorro.cli.preflight import check_backends, claim_data_folder
from socorro.settings import Settings


def reset_everything(settings: Settings, *, ask: bool) -> int:
    """Wipe storage, queue, index and database and make them anew; return the exit code.

    Symbols and the secret key stay. Refuses while a server runs. Raises SettingError.
    """
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
    check_backends(settings)
    from webapp.prepare import prepare

    prepare()
    click.echo(f"All crashes are deleted; {settings.data} begins anew.")
    return 0


def _confirmed(doomed: list[Path]) -> bool:
    click.echo("This deletes all crashes, the queue, the index and the database:")
    for path in doomed:
        click.echo(f"  {path}")
    return click.confirm("Delete them?", default=False)


def _doomed(settings: Settings) -> list[Path]:
    """Return what the embedded backends made; never a whole folder that a setting names."""
    paths: list[Path] = []
    for url in {settings.crash_storage, settings.processed_storage_url}:
        root = Path(url.partition("://")[2])
        paths += [root / "v1", root / "spool"]
    queue = Path(settings.crash_queue.partition("://")[2]) / "queue.db"
    search = Path(settings.search.partition("://")[2])
    database = Path(settings.database_url.removeprefix("sqlite://")[1:])
    for file in (queue, search / "outbox.db", database):
        paths += [file, *(file.with_name(file.name + tail) for tail in ("-wal", "-shm"))]
    return [*paths, *sorted(search.glob("index-*")), search / "indexer.lock"]
