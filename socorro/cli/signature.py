# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro signature`: the command line of signatures, with this installation's crashes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from socorro.cli.latest import latest_crash_ids
from socorro.settings import Settings
from socorro.signature import Rule
from socorro.signature.cli import main
from socorro.signature.cli.source import NoCrash
from socorro.signing import load_rules
from socorro.storage import CrashNotFound, CrashStorage, StorageError, open_storage
from socorro.storage.base import StorageUnavailable


def sign(settings: Settings, arguments: Sequence[str]) -> int:
    """Run the command line; returns its exit status.

    Raises SettingError, StorageUnavailable and SearchUnavailable.
    """
    return main(arguments, _ThisInstallation(settings))


class _ThisInstallation:
    """The processed crashes, the latest ids, the lists and the rules that the settings name."""

    remark = ""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.siglists: Path | None = settings.siglists
        self.rules: Sequence[Rule] = load_rules(settings)

    @cached_property
    def _storage(self) -> CrashStorage:
        # Files and streams are signed without it.
        return open_storage(self._settings.processed_storage_url)

    def processed_crash(self, crash_id: str) -> Mapping[str, Any]:
        """Raises NoCrash and StorageUnavailable."""
        try:
            return self._storage.load_processed_crash(crash_id)
        except StorageUnavailable:
            raise
        except CrashNotFound:
            raise NoCrash("there is no such processed crash") from None
        except (StorageError, ValueError) as error:
            raise NoCrash(f"the stored result cannot be read: {error}") from error

    def latest(self, count: int, *, product: str | None, signature: str | None) -> Iterator[str]:
        """Raises SearchUnavailable."""
        return latest_crash_ids(self._settings, count, product=product, signature=signature)
