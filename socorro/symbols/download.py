# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""One symbol file from a server into the cache, checked as far as its first line."""

import gzip
import http.client
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socorro.symbol_server import SymbolServer
from socorro.symbols.cache import SymbolCache
from socorro.symbols.compression import BROKEN, form_of, open_unpacked
from socorro.symbols.connection import Connection
from socorro.symbols.outcome import FetchError, Why

logger = logging.getLogger(__name__)

_PIECE = 256 * 1024
_FIRST_WORD = b"MODULE "
_ENCODING_FORMS = {"gzip": ".gz", "x-gzip": ".gz", "zstd": ".zst"}


class Downloads:
    """Gets files of one server into a cache; `max_bytes` is the size of one as it is sent."""

    def __init__(self, server: SymbolServer, cache: SymbolCache, *, max_bytes: int) -> None:
        self._server = server
        self._cache = cache
        self._max_bytes = max_bytes

    def get(self, connection: Connection, relative: str) -> Path:
        """Return the file, in the first form that the server has. Raises FetchError."""
        for ending in self._server.forms:
            try:
                return self._get(connection, relative, ending)
            except FetchError as error:
                if error.why != Why.NOT_FOUND:
                    raise
        raise FetchError(Why.NOT_FOUND)

    def _get(self, connection: Connection, relative: str, ending: str) -> Path:
        with self._cache.incoming() as aside:
            with connection.get(f"{relative}{ending}") as response:
                self._write(response, aside)
                encoding = response.headers.get("Content-Encoding", "").strip().lower()
            with _disk_errors():
                form = _form(aside)
                if _ENCODING_FORMS.get(encoding, form) != form or not _has_first_word(aside, form):
                    raise FetchError(Why.CORRUPT)
                return self._cache.adopt(aside, self._server, relative, form)

    def _write(self, response: http.client.HTTPResponse, path: Path) -> None:
        size, told = 0, response.length or 0
        if told > self._max_bytes:
            raise FetchError(Why.TOO_LARGE)
        with _disk_errors():
            if not self._cache.has_space(told):
                raise FetchError(Why.UNREADABLE)
            file = path.open("xb")
        with file:
            while piece := response.read(_PIECE):
                size += len(piece)
                if size > self._max_bytes:
                    raise FetchError(Why.TOO_LARGE)
                with _disk_errors():
                    file.write(piece)
            with _disk_errors():
                file.flush()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Tell the cache's errors from those of the connection."""
    try:
        yield
    except OSError as error:
        logger.warning("the cache of symbols cannot be written: %s", error.strerror)
        raise FetchError(Why.UNREADABLE) from error


def _form(path: Path) -> str:
    """Return the ending that says how a file is compressed, whatever the server called it."""
    with path.open("rb") as file:
        return form_of(file.read(4))


def _has_first_word(path: Path, form: str) -> bool:
    """Whether a file begins like symbols: servers answer with pages, too."""
    try:
        with open_unpacked(path, form) as unpacked:
            return unpacked.read(len(_FIRST_WORD)) == _FIRST_WORD
    except (*BROKEN, gzip.BadGzipFile):
        return False
