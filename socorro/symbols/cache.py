# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Symbols of servers on disk: within a size, by last use, for many processes at once.

``<root>/<server>/<debug file>/<debug id>/<name>.sym`` is a file, plain or with the ending of its
compression. Beside the servers' folders lie ``.incoming`` (files on their way), ``.locks`` (who
gets what), ``.reasons`` (what is not there, and why) and ``.pauses`` (who is left alone). Each is
whole, or not there, whenever a process is killed.
"""

import fcntl
import hashlib
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from socorro.metrics import METRICS
from socorro.symbol_server import FORMS, SymbolServer
from socorro.symbols.outcome import Why

# Files of killed processes are older than that; a download takes less.
_STALE_SECONDS = 3600.0
# How long other reasons than that there is no such file are believed.
_ERROR_SECONDS = 300.0
# Other processes fill the cache too: this often it is measured again.
_MEASURE_SECONDS = 30.0
# When the cache is full, so much is kept: one pass makes room for many files.
_KEEP = 0.9
# Bytes of the file system that symbols leave to others.
_LEAVE_FREE = 256 * 2**20
_LOCK_POLL = 0.05


class SymbolCache:
    """A folder of symbols. `max_bytes` is its size; `missing_seconds` how long a file that a
    server does not have is not asked for again.
    """

    def __init__(self, root: Path, *, max_bytes: int, missing_seconds: float) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._missing_seconds = missing_seconds
        self._measuring = threading.Lock()
        self._known_bytes = 0
        self._measured_at: float | None = None

    def folder(self, server: SymbolServer) -> Path:
        """The folder of a server's files."""
        return self._root / server.key

    def find(self, server: SymbolServer, relative: str) -> Path | None:
        """Return the file of a server, in whatever form it is there."""
        names = (self.folder(server) / f"{relative}{form}" for form in FORMS)
        return next((path for path in names if path.is_file()), None)

    @property
    def commands_folder(self) -> Path:
        """The folder for a stackwalker that downloads by itself."""
        return self._root / "command"

    def tidy(self) -> None:
        """Keep the cache within its size and rid of what is out of date, if it is time for that."""
        self._make_room(0)

    def pause_file(self, server: SymbolServer) -> Path:
        """The file that says how long a server is left alone."""
        return self._root / ".pauses" / server.key

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Yield a name for a file on its way, which is gone afterwards. Raises OSError."""
        folder = self._root / ".incoming"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def adopt(self, incoming: Path, server: SymbolServer, relative: str, form: str) -> Path:
        """Put a file in its place, durably, and make room for it. Raises OSError."""
        size = incoming.stat().st_size
        path = self.folder(server) / f"{relative}{form}"
        self._make_room(size)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(incoming, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        incoming.replace(path)
        with self._measuring:
            self._known_bytes += size
        return path

    def has_space(self, size: int) -> bool:
        """Whether a file of so many bytes may come: it leaves some of the disk to others."""
        self._root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._root).free - size > _LEAVE_FREE

    def reject(self, path: Path) -> None:
        """Take a file out that turned out to be no symbols, and remember that."""
        with suppress(ValueError, OSError):
            key, *parts = path.relative_to(self._root).parts
            if len(parts) == 3 and not key.startswith(".") and ".." not in parts:
                path.unlink(missing_ok=True)
                self._write_reason(key, without_form("/".join(parts)), Why.CORRUPT)

    def reason(self, server: SymbolServer, relative: str) -> Why | None:
        """Return why a server's file is not to be asked for; None if it may be."""
        path = self._reason_path(server.key, relative)
        try:
            age = time.time() - path.stat().st_mtime
            why = Why(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return why if 0 <= age < self._lifetime(why) else None

    def remember(self, server: SymbolServer, relative: str, why: Why) -> None:
        """Remember why a server's file is not there. A disk that is full forgets it."""
        with suppress(OSError):
            self._write_reason(server.key, relative, why)
            self.tidy()

    @contextmanager
    def lock(self, server: SymbolServer, relative: str, seconds: float) -> Iterator[None]:
        """Be the only one, of all processes, that gets a file.

        Raises TimeoutError when another still gets it after so many seconds; other OSErrors.
        """
        path = self._root / ".locks" / _digest(server.key, relative)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(path, time.monotonic() + seconds)
        try:
            yield
        finally:
            # Whoever waits for it sees that it is gone, and makes it anew.
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def _lifetime(self, why: Why) -> float:
        lasting = why in (Why.NOT_FOUND, Why.CORRUPT, Why.TOO_LARGE)
        return self._missing_seconds if lasting else min(_ERROR_SECONDS, self._missing_seconds)

    def _reason_path(self, key: str, relative: str) -> Path:
        digest = _digest(key, relative)
        return self._root / ".reasons" / digest[:2] / digest

    def _write_reason(self, key: str, relative: str, why: Why) -> None:
        path = self._reason_path(key, relative)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.incoming() as aside:
            aside.write_text(why.value, encoding="ascii")
            aside.replace(path)

    def _make_room(self, size: int) -> None:
        with self._measuring:
            now = time.monotonic()
            old = self._measured_at is None or now - self._measured_at > _MEASURE_SECONDS
            if old or self._known_bytes + size > self._max_bytes:
                self._known_bytes = self._evict(size)
                self._measured_at = now

    def _evict(self, size: int) -> int:
        """Remove what was not used the longest until `size` more bytes fit; return what is left."""
        self._sweep()
        files = sorted(_files(self._root))
        total = sum(file_size for _, file_size, _ in files)
        if total + size > self._max_bytes:
            for _, file_size, path in files:
                if total + size <= self._max_bytes * _KEEP:
                    break
                _remove(path)
                total -= file_size
                METRICS.incr("processor.cache_manager.evict")
        METRICS.gauge("processor.cache_manager.usage", total)
        return total

    def _sweep(self) -> None:
        """Remove what killed processes left, and reasons that nobody believes any more."""
        now = time.time()
        lifetimes = {".incoming": _STALE_SECONDS, ".locks": _STALE_SECONDS}
        lifetimes[".reasons"] = self._missing_seconds
        for name, lifetime in lifetimes.items():
            for parent, _, names in os.walk(self._root / name):
                for path in (Path(parent, name) for name in names):
                    with suppress(OSError):
                        if now - path.stat().st_mtime > lifetime:
                            path.unlink()


def without_form(name: str) -> str:
    """Return a file's name without the ending of its compression."""
    return next((name.removesuffix(form) for form in FORMS if form and name.endswith(form)), name)


def _digest(key: str, relative: str) -> str:
    return hashlib.sha256(f"{key}/{relative}".encode("utf-8", "surrogatepass")).hexdigest()


def _locked(path: Path, until: float) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(_LOCK_POLL)


def _files(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield last use, size and path of all symbols in a cache.

    The stackwalker sets the time of the last use: file systems do it late, or not at all.
    """
    for parent, folders, names in os.walk(root):
        if Path(parent) == root:
            folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names):
            with suppress(OSError):
                status = path.stat()
                yield status.st_atime, status.st_size, path


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
        # Folders that are not empty stay.
        path.parent.rmdir()
        path.parent.parent.rmdir()
