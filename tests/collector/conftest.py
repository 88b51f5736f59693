# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A collector on an empty storage and queue."""

from dataclasses import replace
from pathlib import Path

import pytest

from collector.app import CollectorApp, create_app
from socorro.queue import CrashQueue, open_queue
from socorro.settings import Settings, load
from socorro.storage import FilesystemStorage


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a collector in a folder of its own."""
    return replace(
        load(),
        data=tmp_path,
        crash_storage=f"fs://{tmp_path}/crashes",
        crash_queue=f"local://{tmp_path}/queue",
        unpublished=tmp_path / "unpublished",
        min_free_disk=0,
    )


@pytest.fixture
def storage(settings: Settings) -> FilesystemStorage:
    return FilesystemStorage(settings.crash_storage.removeprefix("fs://"))


@pytest.fixture
def queue(settings: Settings) -> CrashQueue:
    return open_queue(settings.crash_queue, lease_seconds=60)


@pytest.fixture
def app(settings: Settings, storage: FilesystemStorage, queue: CrashQueue) -> CollectorApp:
    return create_app(settings, storage, queue)
