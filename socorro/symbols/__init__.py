# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The local symbol store: put symbols in, and process again the crashes that missed them.

A store is a folder of the Breakpad layout, ``<debug file>/<debug id>/<name>.sym``, each file plain
or compressed (``.sym.gz``, ``.sym.zst``), which the stackwalker reads directly. Symbols of servers
lie in a cache (`cache`), which `servers` fills.
"""

from socorro.symbols.add import AddResult, Refused, Stored, add
from socorro.symbols.module import InvalidSymbols, Module
from socorro.symbols.requeue import requeue_missing_symbols
from socorro.symbols.store import StoreUnavailable

__all__ = [
    "AddResult",
    "InvalidSymbols",
    "Module",
    "Refused",
    "StoreUnavailable",
    "Stored",
    "add",
    "requeue_missing_symbols",
]
