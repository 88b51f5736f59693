# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The stackwalker that the settings ask for, once it is there."""

import shutil
from pathlib import Path

from processor.pipeline import StackwalkerNotReadyError
from processor.stackwalk import CommandStackwalker, LongLivedStackwalker, Stackwalker
from processor.stackwalk.build import Building, Ready, Unavailable, default_cache, state
from socorro.settings import SettingError, Settings
from socorro.symbols.cache import SymbolCache
from socorro.symbols.outcome import Limits
from socorro.symbols.servers import SymbolServers


class WalkerSource:
    """Makes this process's stackwalker at first use and keeps it."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingError where the settings contradict each other."""
        if settings.stackwalker == "command" and any(
            server.is_private for server in settings.symbol_servers
        ):
            raise SettingError(
                "SYMBOLS: STACKWALKER=command takes no credentials for symbol servers, as every "
                "user of the machine could read them."
            )
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
        servers = settings.symbol_servers
        if settings.stackwalker == "command":
            return CommandStackwalker(
                binary,
                settings.symbol_folders,
                deadline=settings.stackwalker_deadline,
                memory_limit=settings.stackwalker_memory,
                servers=servers,
                cache=_cache(settings) if servers else None,
            )
        return LongLivedStackwalker(
            binary,
            settings.symbol_folders,
            deadline=settings.stackwalker_deadline,
            memory_limit=settings.stackwalker_memory,
            symbol_budget=settings.symbol_budget,
            servers=_servers(settings) if servers else None,
        )


def _servers(settings: Settings) -> SymbolServers:
    limits = Limits(
        seconds=settings.symbols_timeout,
        wait=settings.symbols_wait,
        # One file must not drive all others out.
        max_bytes=min(settings.symbols_cache_size // 2, Limits.max_bytes),
        at_once=settings.symbols_downloads,
    )
    return SymbolServers(settings.symbol_servers, _cache(settings), limits)


def _cache(settings: Settings) -> SymbolCache:
    return SymbolCache(
        settings.symbols_cache,
        max_bytes=settings.symbols_cache_size,
        missing_seconds=settings.symbols_missing_seconds,
    )


def _existing(command: str) -> Path:
    found = shutil.which(command)
    if found is None:
        raise SettingError(f"STACKWALKER_COMMAND: {command} is not an executable file.")
    return Path(found)
