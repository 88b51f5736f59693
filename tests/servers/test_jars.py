# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fetching the jars of the servers, with a Maven of our own: the real one needs the network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.jars import FetchFailed, fetch, java

ROOT = Path(__file__).resolve().parents[2]

# Writes a jar where it is told to, and notes that it was called.
_MAVEN = """\
#!/bin/sh
echo "$*" >> {calls}
for argument; do
  case $argument in -DoutputDirectory=*) folder=${{argument#*=}};; esac
done
mkdir -p "$folder"
echo half > "$folder/one.jar"
{then}
"""
# Fails at its second call, when the first profile is there.
_FAILS_AT_SECOND = '[ "$(wc -l < {calls})" -ne 2 ] || {{ echo "no route to host"; exit 1; }}'


class Maven:
    """A stand-in for mvn on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._calls = folder / "calls"

    def install(self, then: str = "") -> None:
        self.folder.mkdir(exist_ok=True)
        program = self.folder / "mvn"
        program.write_text(_MAVEN.format(calls=self._calls, then=then.format(calls=self._calls)))
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maven:
    maven = Maven(tmp_path / "bin")
    maven.install()
    monkeypatch.setenv("PATH", f"{maven.folder}:{os.environ['PATH']}")
    return maven


def test_each_profile_is_fetched_once_into_a_folder_of_its_own(
    maven: Maven, tmp_path: Path
) -> None:
    home = fetch(tmp_path / "cache")
    assert fetch(tmp_path / "cache") == home
    assert {path.name for path in home.iterdir()} == {"s3", "sqs"}
    assert [("-Ps3" in call, "-Psqs" in call) for call in maven.calls] == [
        (True, False),
        (False, True),
    ]


def test_a_fetch_that_fails_half_way_says_why_and_is_no_cache(maven: Maven, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    maven.install(_FAILS_AT_SECOND)
    with pytest.raises(FetchFailed, match=r"could not fetch sqs:\nno route to host"):
        fetch(cache)
    assert [path.name for path in cache.iterdir()] == ["test-servers.lock"]
    home = fetch(cache)
    assert (home / "sqs" / "one.jar").exists()


def test_what_a_killed_fetch_left_behind_is_removed(maven: Maven, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    maven.install("kill -9 $PPID")
    command = "from pathlib import Path; from tests.servers.jars import fetch; fetch(Path({!r}))"
    killed = subprocess.run(
        [sys.executable, "-c", command.format(str(cache))], cwd=ROOT, check=False
    )
    assert killed.returncode == -9
    assert len(list(cache.iterdir())) == 2
    maven.install()
    home = fetch(cache)
    assert {path.name for path in cache.iterdir()} == {"test-servers.lock", home.name}


def test_of_several_who_ask_at_once_one_fetches(maven: Maven, tmp_path: Path) -> None:
    maven.install("sleep 0.2")
    command = [sys.executable, "-m", "tests.servers"]
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    asking = [
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {process.communicate(timeout=60)[0] for process in asking}
    assert {process.returncode for process in asking} == {0}
    (home,) = answers
    assert Path(home.strip()).parent == tmp_path / "socorro"
    assert len(maven.calls) == 2


def test_without_maven_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchFailed, match="install maven"):
        fetch(tmp_path / "cache")


def test_a_java_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(FetchFailed, match=rf"{program} is Java 11; 17 or newer"):
        java()
