# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The jars of S3Proxy and ElasticMQ, fetched by Maven once for each state of pom.xml.

``python -m tests.servers`` fetches them and prints their folder. Several processes may ask at the
same time: one fetches, the others wait.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from processor.stackwalk.build import default_cache

Profile = Literal["s3", "sqs"]

POM = Path(__file__).with_name("pom.xml")
_PROFILES: tuple[Profile, ...] = ("s3", "sqs")
_FETCH_TIMEOUT = 1200.0
_OLDEST_JAVA = 17


class FetchFailed(Exception):
    """There are no jars, or no Java to run them. The text is a sentence that says why."""


def fetch(cache: Path) -> Path:
    """Fetch the jars unless the cache has them; return their folder, which has one per profile.

    Raises FetchFailed.
    """
    home = cache / f"test-servers-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    try:
        if not home.is_dir():
            with _lock(cache):
                if not home.is_dir():
                    _fetch_into(home)
    except OSError as error:
        raise FetchFailed(f"The test servers cannot be fetched into {cache}: {error}.") from error
    return home


def class_path(profile: Profile) -> str:
    """Return Java's class path of a profile. Raises FetchFailed."""
    return f"{fetch(default_cache()) / profile}/*"


def java() -> str:
    """Return the command of a Java that is new enough. Raises FetchFailed."""
    home = os.environ.get("JAVA_HOME", "")
    command = shutil.which(f"{home}/bin/java") if home else None
    command = command or shutil.which("java")
    if command is None:
        raise FetchFailed("There is no java: install default-jre-headless.")
    version = _java_version(command)
    if version < _OLDEST_JAVA:
        raise FetchFailed(f"{command} is Java {version}; {_OLDEST_JAVA} or newer is needed.")
    return command


def _java_version(command: str) -> int:
    said = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found[1]) if found else 0


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    """Hold the fetcher's lock. The kernel takes it from a fetcher that is killed."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "test-servers.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch_into(home: Path) -> None:
    """Fetch aside and move all in one step, so that what was interrupted is never used."""
    # Those that an interrupted fetch left; we hold the lock, so nobody works in them.
    for stale in home.parent.glob(".test-servers-*"):
        shutil.rmtree(stale, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=".test-servers-", dir=home.parent))
    try:
        for profile in _PROFILES:
            _run_maven(profile, aside)
        shutil.rmtree(aside / "repository", ignore_errors=True)
        aside.chmod(0o755)
        aside.rename(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _run_maven(profile: Profile, aside: Path) -> None:
    # A repository that goes afterwards: the user's own is not for jars that only we need.
    command = ["mvn", "--batch-mode", "--quiet", "--strict-checksums", f"--file={POM}"]
    command += [f"-P{profile}", f"-Dmaven.repo.local={aside / 'repository'}"]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={aside / profile}"]
    if shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", "TERM", *command]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_FETCH_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise FetchFailed("There is no mvn: install maven.") from error
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"Maven took over {_FETCH_TIMEOUT:g} s to fetch {profile}.") from error
    if done.returncode != 0:
        raise FetchFailed(f"Maven could not fetch {profile}:\n{done.stdout[-2000:]}")
