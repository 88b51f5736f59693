# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Finds a Rust toolchain that works, or installs Debian's."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SYSTEM_CARGO = Path("/usr/bin/cargo")
DEBIAN_PACKAGES = ("cargo-web", "rustc-web", "gcc", "libc6-dev")
_ASK_TIMEOUT = 60.0
_INSTALL_TIMEOUT = 1800.0


class ToolchainMissing(Exception):
    """Rust or its linker is missing. The text is a sentence that says what to do."""


@dataclass(frozen=True)
class Toolchain:
    """A `cargo` that works, and the environment in which it does."""

    cargo: Path
    environment: dict[str, str]


def find_toolchain(minimum: tuple[int, int], log: IO[bytes]) -> Toolchain:
    """A toolchain of at least the minimum version that can link.

    Root on Debian gets the missing packages installed; apt's output goes to `log`. Raises
    ToolchainMissing.
    """
    toolchain = _working_toolchain(minimum)
    if toolchain is None or not has_linker():
        _install_debian_packages(log)
        toolchain = _working_toolchain(minimum)
    if toolchain is None:
        raise ToolchainMissing(_advice(minimum))
    if not has_linker():
        raise ToolchainMissing(
            "Rust links programs with a C compiler and there is none: install one "
            "(on Debian: apt-get install gcc libc6-dev)."
        )
    return toolchain


def has_linker() -> bool:
    """Whether there is the `cc` with which Rust links."""
    return shutil.which("cc") is not None


def _advice(minimum: tuple[int, int]) -> str:
    version = ".".join(map(str, minimum))
    return (
        f"The stackwalker needs Rust {version} or later and there is none that works: install it "
        "(on Debian, as root: apt-get install cargo-web rustc-web; elsewhere see "
        "https://rust-lang.org/tools/install)."
    )


def _working_toolchain(minimum: tuple[int, int]) -> Toolchain | None:
    for cargo in _candidates():
        # The rustc beside this cargo comes first: another one may be of another age.
        path = f"{cargo.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        environment = {**os.environ, "PATH": path}
        # A cargo of rustup is there under any HOME, but works under one: ask before trusting it.
        programs = (str(cargo), shutil.which("rustc", path=path) or "rustc")
        if all(_version(program, environment) >= minimum for program in programs):
            return Toolchain(cargo, environment)
    return None


def home_folder() -> Path:
    """Return the home of this user; one that does not exist for users that have none.

    Containers run under numbers that nobody has registered.
    """
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("cargo")
    if on_path:
        yield Path(on_path)
    yield home_folder() / ".cargo" / "bin" / "cargo"
    yield SYSTEM_CARGO


def _version(program: str, environment: dict[str, str]) -> tuple[int, int]:
    """The version that a program answers; (0, 0) if it does not."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    match = re.search(rb"(\d+)\.(\d+)\.\d+", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _install_debian_packages(log: IO[bytes]) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]
    for command in (["apt-get", "update"], install):
        # Whether it helped is seen by looking for the toolchain again.
        subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=_INSTALL_TIMEOUT,
            check=False,
        )
