# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Adds symbols from files, folders and archives to the store, and says what became of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from socorro.symbols.module import InvalidSymbols, Module
from socorro.symbols.sources import Source, sources
from socorro.symbols.store import put


@dataclass(frozen=True)
class Stored:
    """Symbols that are in the store. `source` is where they came from, `path` where they are."""

    source: str
    module: Module
    path: Path


@dataclass(frozen=True)
class Refused:
    """A file, folder or archive that was not taken; `path` names it, `reason` says why."""

    path: str
    reason: str


@dataclass(frozen=True)
class AddResult:
    """What became of the files: new or replaced, there before with the same symbols, refused."""

    added: tuple[Stored, ...]
    unchanged: tuple[Stored, ...]
    refused: tuple[Refused, ...]

    @property
    def stored(self) -> tuple[Stored, ...]:
        """All symbols that the store has now.

        A crash that misses one of these deserves another try, even if the symbols were there
        before: an earlier call may have been ended before it came to the crashes.
        """
        return self.added + self.unchanged


def add(
    paths: Sequence[Path], store: Path, *, progress: Callable[[str], None] | None = None
) -> AddResult:
    """Put all symbols found at `paths` into the folder `store`, which is made if need be.

    Each path is a folder (walked; ``.sym``, ``.sym.gz`` and ``.sym.zst`` in it), a ``.zip`` of
    such files, or one symbol file, plain or compressed. A bad file is refused and does not stop
    the others. `progress` is called with the name of each file as it is taken up. Raises
    StoreUnavailable.
    """
    results = _Results()
    for path in paths:
        try:
            for source in sources(path):
                if progress:
                    progress(source.name)
                results.add(source, store)
        except InvalidSymbols as error:
            results.refused.append(Refused(str(path), str(error)))
    return AddResult(tuple(results.added), tuple(results.unchanged), tuple(results.refused))


class _Results:
    def __init__(self) -> None:
        self.added: list[Stored] = []
        self.unchanged: list[Stored] = []
        self.refused: list[Refused] = []

    def add(self, source: Source, store: Path) -> None:
        try:
            entry = put(source, store)
        except InvalidSymbols as error:
            self.refused.append(Refused(source.name, str(error)))
            return
        stored = Stored(source.name, entry.module, entry.path)
        (self.added if entry.changed else self.unchanged).append(stored)
