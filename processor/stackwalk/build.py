# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Builds the stackwalker from the sources shipped, once per version and machine, into a cache.

``python -m processor.stackwalk.build`` builds it and prints its path. Several processes may call
this module at the same time: one builds, the others wait (`build`) or see that it does (`state`).
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO

from processor.stackwalk.toolchain import Toolchain, ToolchainMissing, find_toolchain, home_folder
from socorro.packaged import STACKWALKER_SOURCE

BINARY = "socorro-stackwalker"
_BUILD_TIMEOUT = 3600.0
# At a low priority, as the machine serves meanwhile; and not to outlive the builder.
_WRAPPERS = (("nice", "-n", "10"), ("setpriv", "--pdeathsig", "TERM"))
_NOT_BUILT = "The stackwalker is not built yet."


class BuildFailed(Exception):
    """The stackwalker could not be built. The text is a sentence that says why."""


@dataclass(frozen=True)
class Ready:
    """The stackwalker is built."""

    path: Path


@dataclass(frozen=True)
class Building:
    """Another process builds it, since a time in UTC."""

    since: datetime


@dataclass(frozen=True)
class Unavailable:
    """It is not built and nobody builds it; a sentence says why."""

    reason: str


State = Ready | Building | Unavailable


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/socorro``, or ``~/.cache/socorro``."""
    cache_home = os.environ.get("XDG_CACHE_HOME", "")
    # The standard says that a relative one is to be ignored.
    base = Path(cache_home) if cache_home.startswith("/") else home_folder() / ".cache"
    return base / "socorro"


def state(cache: Path) -> State:
    """Whether the stackwalker of this version is in the cache, or on its way there."""
    place = _Place(cache)
    if place.is_ready():
        return Ready(place.binary)
    since = place.building_since()
    if since is not None:
        return Building(since)
    try:
        return Unavailable(place.failure.read_text(encoding="utf-8"))
    except OSError:
        return Unavailable(_NOT_BUILT)


def build(cache: Path) -> Path:
    """Build the stackwalker unless the cache has it, and return its path.

    Waits for another process that builds it already. Raises BuildFailed, whose reason `state` tells
    until the next try.
    """
    place = _Place(cache)
    if place.is_ready():
        return place.binary
    try:
        with place.lock():
            if not place.is_ready():
                _build_in(place)
    except OSError as error:
        raise BuildFailed(f"The stackwalker cannot be built in {cache}: {error}.") from error
    return place.binary


class _Place:
    """Where in a cache the stackwalker of these sources is built and kept."""

    def __init__(self, cache: Path) -> None:
        self.root = cache.absolute() / "stackwalker"
        self.home = self.root / _version_and_hash()
        self.binary = self.home / BINARY
        self.failure = self.home / "failure.txt"
        self.log = self.home / "build.log"
        self.target = self.root / "target"
        self._lock = self.root / "build.lock"

    def is_ready(self) -> bool:
        return os.access(self.binary, os.X_OK)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the builder's lock. The kernel takes it from a builder that is killed."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.utime(file.fileno())
            yield

    def building_since(self) -> datetime | None:
        """When the build began that is under way; None if none is."""
        try:
            with self._lock.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        except OSError:
            pass
        return None


def _version_and_hash() -> str:
    """The sources' version and a hash of all that goes into the binary."""
    manifest = _manifest()
    digest = hashlib.sha256(platform.machine().encode())
    files = [STACKWALKER_SOURCE / "Cargo.toml", STACKWALKER_SOURCE / "Cargo.lock"]
    for path in [*files, *sorted((STACKWALKER_SOURCE / "src").glob("*.rs"))]:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return f"{manifest['version']}-{digest.hexdigest()[:12]}"


def _manifest() -> dict[str, str]:
    with (STACKWALKER_SOURCE / "Cargo.toml").open("rb") as file:
        package: dict[str, str] = tomllib.load(file)["package"]
    return package


def _build_in(place: _Place) -> None:
    place.failure.unlink(missing_ok=True)
    try:
        with place.log.open("wb") as log:
            major, minor = _manifest()["rust-version"].split(".")[:2]
            toolchain = find_toolchain((int(major), int(minor)), log)
            _run_cargo(place, toolchain, log)
        _keep_binary(place)
    except (BuildFailed, ToolchainMissing) as error:
        place.failure.write_text(str(error), encoding="utf-8")
        raise BuildFailed(str(error)) from error


def _run_cargo(place: _Place, toolchain: Toolchain, log: IO[bytes]) -> None:
    wrappers = [wrapper for wrapper in _WRAPPERS if shutil.which(wrapper[0])]
    command = [*chain(*wrappers), str(toolchain.cargo), "build", "--release", "--locked"]
    try:
        process = subprocess.run(
            [*command, "--manifest-path", str(STACKWALKER_SOURCE / "Cargo.toml")],
            env=_cargo_environment(place, toolchain),
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=_BUILD_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildFailed(f"The stackwalker's build took too long; see {place.log}.") from error
    if process.returncode != 0:
        raise BuildFailed(
            f"The stackwalker's build failed ({_first_error(place.log)}); see {place.log}."
        )


def _cargo_environment(place: _Place, toolchain: Toolchain) -> dict[str, str]:
    environment = {**toolchain.environment, "CARGO_TARGET_DIR": str(place.target)}
    # Flags and targets of the user's other projects would build something else.
    for name in ("RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS"):
        environment.pop(name, None)
    cargo_home = Path(environment.get("CARGO_HOME") or home_folder() / ".cargo")
    if not _is_writable(cargo_home):
        environment["CARGO_HOME"] = str(place.root / "cargo")
    return environment


def _is_writable(folder: Path) -> bool:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return os.access(nearest, os.W_OK)


def _first_error(log: Path) -> str:
    with log.open(encoding="utf-8", errors="replace") as lines:
        errors = (line.strip() for line in lines if line.startswith("error"))
        return next(errors, "no error was printed")[:300]


def _keep_binary(place: _Place) -> None:
    """Move the binary to its place in one step, so that no half of it is ever run."""
    half = place.home / f".{BINARY}.new"
    shutil.copy2(place.target / "release" / BINARY, half)
    half.chmod(0o755)
    half.rename(place.binary)
    shutil.rmtree(place.target, ignore_errors=True)
    shutil.rmtree(place.root / "cargo", ignore_errors=True)


def main() -> int:
    """Build into the default cache; print the path, or what is wrong."""
    try:
        path = build(default_cache())
    except BuildFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
