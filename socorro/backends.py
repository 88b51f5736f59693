# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The storages, queue and index that the settings select: checked, described and made."""

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from socorro.queue import QueueMisconfigured, QueueUnavailable, open_queue
from socorro.search import SearchUnavailable, open_index
from socorro.settings import SettingError, Settings, mask
from socorro.storage import StorageMisconfigured, StorageUnavailable, open_storage
from socorro.storage.fallback import same_place


class Backend(Protocol):
    """What all backends have in common."""

    @property
    def engine(self) -> str:
        """Which engine it is, and where, in one line for people."""
        ...

    def provision(self) -> None:
        """Make what it needs (a bucket, queues, a folder) unless it is there."""
        ...

    def verify(self) -> None:
        """Check that it works."""
        ...


# What a whole installation needs. FALLBACK_STORAGE is not among them: it is there for when others
# fail.
NAMES = ("CRASH_STORAGE", "PROCESSED_STORAGE", "TELEMETRY_STORAGE", "CRASH_QUEUE", "SEARCH")
_INCOMING = ("CRASH_STORAGE", "FALLBACK_STORAGE")
_PROVIDED = ("FALLBACK_STORAGE", *NAMES)
# What it means that a setting is empty.
_NONE = {
    "FALLBACK_STORAGE": "none: while storage is down, clients are told to keep their reports",
    "TELEMETRY_STORAGE": "none: nothing is exported",
}
_UNAVAILABLE = (QueueUnavailable, SearchUnavailable, StorageUnavailable)


def verify(settings: Settings, names: Collection[str] = NAMES) -> None:
    """Check the backends that the named settings select, whether they work.

    Raises SettingError: one sentence that names the setting.
    """
    _with_each(settings, names, lambda backend: backend.verify())


def verify_incoming(settings: Settings) -> list[str]:
    """Check what the collector needs: it can serve as long as one storage works.

    Return a sentence on each of storage, fallback and queue that is down. Raises SettingError if a
    setting is wrong, so that waiting will not help, and if no storage works.
    """
    check_fallback(settings)
    down: dict[str, SettingError] = {}
    for name in (*_INCOMING, "CRASH_QUEUE"):
        try:
            verify(settings, (name,))
        except SettingError as error:
            if isinstance(error.__cause__, StorageMisconfigured | QueueMisconfigured):
                raise
            down[name] = error
    usable = [name for name in _INCOMING if _selected(settings)[name][0] and name not in down]
    if not usable:
        raise down["CRASH_STORAGE"]
    return [str(error) for error in down.values()]


def check_fallback(settings: Settings) -> None:
    """Raise SettingError if FALLBACK_STORAGE is also another storage.

    Reports are deleted there once they are in CRASH_STORAGE, with all else of the same crash.
    """
    if not settings.fallback_storage:
        return
    fallback = open_storage(settings.fallback_storage)
    others = {
        "CRASH_STORAGE": settings.crash_storage,
        "PROCESSED_STORAGE": settings.processed_storage_url,
        "TELEMETRY_STORAGE": settings.telemetry_storage,
    }
    for name, url in others.items():
        if url and same_place(fallback, open_storage(url)):
            raise SettingError(
                f"FALLBACK_STORAGE={mask(settings.fallback_storage)}: must be another place than "
                f"{name}."
            )


def provision(settings: Settings) -> None:
    """Make what the backends need unless it is there; whatever exists is left as it is.

    Raises SettingError: one sentence that names the setting.
    """
    _with_each(settings, _PROVIDED, lambda backend: backend.provision())


def engines(settings: Settings) -> dict[str, str]:
    """Return which engine each URL selects, by the name of the setting; nothing is opened."""
    described = {
        name: open_it(url).engine if url else _NONE[name]
        for name, (url, open_it) in _selected(settings).items()
    }
    return {**described, "DATABASE_URL": _database_engine(settings.database_url)}


def _with_each(
    settings: Settings, names: Collection[str], action: Callable[[Backend], None]
) -> None:
    done = set()
    for name, (url, open_it) in _selected(settings).items():
        if name not in names or not url or url in done:
            continue
        done.add(url)
        backend = open_it(url)
        try:
            action(backend)
        except _UNAVAILABLE as error:
            raise SettingError(f"{name}={mask(url)}: {error}.") from error
        finally:
            _close(backend)


def _selected(settings: Settings) -> dict[str, tuple[str, Callable[[str], Backend]]]:
    """Return the URL of each setting in `NAMES`, and what opens it."""
    queue = partial(open_queue, lease_seconds=settings.lease_seconds)
    return {
        "CRASH_STORAGE": (settings.crash_storage, open_storage),
        "FALLBACK_STORAGE": (settings.fallback_storage, open_storage),
        "PROCESSED_STORAGE": (settings.processed_storage_url, open_storage),
        "TELEMETRY_STORAGE": (settings.telemetry_storage, open_storage),
        "CRASH_QUEUE": (settings.crash_queue, queue),
        "SEARCH": (settings.search, open_index),
    }


def _close(backend: Backend) -> None:
    """Close what can be closed: connections must not cross a fork, nor outlive the check."""
    close = getattr(backend, "close", None)
    if close is not None:
        with suppress(*_UNAVAILABLE):
            close()


def _database_engine(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return f"SQLite in {url.removeprefix('sqlite:///')}"
    where = f" on {parts.hostname or 'this machine'}" + (f":{parts.port}" if parts.port else "")
    return f"PostgreSQL database {parts.path.strip('/')}{where}"
