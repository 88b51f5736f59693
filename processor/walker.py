# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The stackwalker that the settings ask for, once it is there."""

import shutil
from pathlib import Path

from processor.pipeline import StackwalkerNotReadyError
from processor.stackwalk import CommandStackwalker, LongLivedStackwalker, Stackwalker
from processor.stackwalk.build import Building, Ready, Unavailable, default_cache, state
from socorro.settings import SettingError, Settings


class WalkerSource:
    """Makes this process's stackwalker at first use and keeps it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._walker: Stackwalker | None = None

    def get(self) -> Stackwalker | None:
        """Return the stackwalker, or None where none can be had.

        Raises StackwalkerNotReadyError while it is being built.
        """
        if self._walker is None:
            binary = self._binary()
            self._walker = None if binary is None else self._make(binary)
        return self._walker

    def is_ready(self) -> bool:
        """Say whether `get` would return a stackwalker; makes none, so any thread may ask."""
        try:
            return self._binary() is not None
        except StackwalkerNotReadyError:
            return False

    def close(self) -> None:
        """End the child process."""
        if self._walker is not None:
            self._walker.close()

    def _binary(self) -> Path | None:
        if self._settings.stackwalker_command:
            return _existing(self._settings.stackwalker_command)
        if self._settings.stackwalker == "command":
            return _existing("minidump-stackwalk")
        match state(default_cache()):
            case Ready(path=path):
                return path
            case Building():
                raise StackwalkerNotReadyError
            case Unavailable():
                return None

    def _make(self, binary: Path) -> Stackwalker:
        settings = self._settings
        if settings.stackwalker == "command":
            return CommandStackwalker(
                binary,
                settings.symbol_folders,
                deadline=settings.stackwalker_deadline,
                memory_limit=settings.stackwalker_memory,
            )
        return LongLivedStackwalker(
            binary,
            settings.symbol_folders,
            deadline=settings.stackwalker_deadline,
            memory_limit=settings.stackwalker_memory,
            symbol_budget=settings.symbol_budget,
        )


def _existing(command: str) -> Path:
    found = shutil.which(command)
    if found is None:
        raise SettingError(f"STACKWALKER_COMMAND: {command} is not an executable file.")
    return Path(found)
