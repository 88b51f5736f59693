# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The storage, queue and index of this process, opened when first asked for.

A handle belongs to the process that opened it: database files and sockets must not cross a fork.
"""

import os
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar, cast

from django.conf import settings

from socorro.products import Product, load_configured
from socorro.queue import CrashQueue, open_queue
from socorro.search import SearchIndex, open_index
from socorro.settings import Settings
from socorro.signing import Signer, load_signer
from socorro.storage import CrashStorage, open_storage

T = TypeVar("T")

_opened: dict[Hashable, object] = {}
_lock = threading.Lock()


def raw_storage() -> CrashStorage:
    """Return where raw crashes are."""
    url = _settings().crash_storage
    return _once(("storage", url), lambda: open_storage(url))


def processed_storage() -> CrashStorage:
    """Return where processed crashes are; the same object as `raw_storage` if that is there."""
    url = _settings().processed_storage_url
    return _once(("storage", url), lambda: open_storage(url))


def queue() -> CrashQueue:
    """Return the queue to the processors."""
    url, lease = _settings().crash_queue, _settings().lease_seconds
    return _once(("queue", url), lambda: open_queue(url, lease_seconds=lease))


def index() -> SearchIndex:
    """Return the search index. Raises SearchUnavailable."""
    url = _settings().search
    return _once(("index", url), lambda: open_index(url))


def products() -> Mapping[str, Product]:
    """Return the products that have a file, by name, in the order in which they are listed."""
    configured = _settings().products
    return _once(
        ("products", str(configured)),
        lambda: {product.name: product for product in load_configured(_settings())},
    )


def signer() -> Signer:
    """Return what makes signatures. Raises SettingError, which the start has made sure of."""
    configured = _settings()
    lists, rules = str(configured.siglists), ",".join(configured.signature_rules)
    return _once(("signer", lists, rules), lambda: load_signer(configured))


def close() -> None:
    """Close what this process opened."""
    with _lock:
        for key in [key for key in _opened if cast("tuple[int]", key)[0] == os.getpid()]:
            handle = _opened.pop(key)
            if hasattr(handle, "close"):
                handle.close()


def _settings() -> Settings:
    return settings.SOCORRO


def _once(name: tuple[str, ...], open_it: Callable[[], T]) -> T:
    key = (os.getpid(), *name)
    with _lock:
        if key not in _opened:
            _opened[key] = open_it()
        return cast("T", _opened[key])
