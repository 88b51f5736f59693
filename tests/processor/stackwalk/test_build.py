# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Finding a toolchain and building in a cache, with a small script in the place of cargo.

The real build is what the `binary` fixture of all other tests does.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from processor.stackwalk import build as build_module
from processor.stackwalk import toolchain
from processor.stackwalk.build import (
    BuildFailed,
    Building,
    Ready,
    Unavailable,
    build,
    default_cache,
    main,
    state,
)
from socorro.packaged import STACKWALKER_SOURCE
from tests.processor.stackwalk.processes import is_running, wait_until
from tests.processor.stackwalk.programs import write_program

# Counts the builds, and makes a "binary" that names itself.
CARGO_BUILDS = """
echo build >>{log}
{extra}
/bin/mkdir -p "$CARGO_TARGET_DIR/release"
echo built >"$CARGO_TARGET_DIR/release/socorro-stackwalker"
"""


class FakeToolchain:
    """A folder of programs that is all there is on PATH."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "bin"
        self.builds = root / "builds.log"
        self.add("cc", "exit 0")
        self.add("rustc", "echo rustc 1.95.0")
        self.cargo()

    def add(self, name: str, script: str) -> None:
        write_program(self.bin / name, script)

    def cargo(self, version: str = "1.95.0", extra: str = "") -> None:
        builds = CARGO_BUILDS.format(log=self.builds, extra=extra)
        answer = f'[ "$1" != --version ] || {{ echo "cargo {version} (1 2026-01-01)"; exit; }}'
        self.add("cargo", f"{answer}\n{builds}")

    @property
    def build_count(self) -> int:
        return len(self.builds.read_text().splitlines()) if self.builds.exists() else 0


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeToolchain:
    """Working tools; no others, whatever this machine has."""
    tools = FakeToolchain(tmp_path / "tools")
    monkeypatch.setenv("PATH", str(tools.bin))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(toolchain, "SYSTEM_CARGO", tmp_path / "none" / "cargo")
    return tools


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_the_binary_is_built_once_and_kept_by_version_and_source(
    tools: FakeToolchain, cache: Path
) -> None:
    assert state(cache) == Unavailable("The stackwalker is not built yet.")
    path = build(cache)
    assert state(cache) == Ready(path)
    assert path.read_text() == "built\n"
    assert os.access(path, os.X_OK)
    assert path.parent.parent == cache / "stackwalker"
    assert path.parent.name.startswith("0.27.0-")
    assert build(cache) == path
    assert tools.build_count == 1


def test_nothing_but_the_binary_and_its_log_is_kept(tools: FakeToolchain, cache: Path) -> None:
    path = build(cache)
    left = {file.name for file in cache.rglob("*") if file.is_file()}
    assert left == {path.name, "build.log", "build.lock"}
    assert not (cache / "stackwalker" / "target").exists()


def test_other_sources_are_another_binary(
    tools: FakeToolchain, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(cache)
    copy = tmp_path / "source"
    shutil.copytree(STACKWALKER_SOURCE, copy, ignore=shutil.ignore_patterns("target"))
    monkeypatch.setattr(build_module, "STACKWALKER_SOURCE", copy)
    assert build(cache) == first
    with (copy / "src" / "main.rs").open("a") as file:
        file.write("// changed\n")
    assert isinstance(state(cache), Unavailable)
    assert build(cache) != first
    assert tools.build_count == 2


def test_a_failed_build_leaves_its_reason_until_the_next_try(
    tools: FakeToolchain, cache: Path
) -> None:
    tools.cargo(extra="echo 'error: no space left'; echo more; exit 101")
    with pytest.raises(BuildFailed, match="no space left"):
        build(cache)
    failed = state(cache)
    assert isinstance(failed, Unavailable)
    assert "no space left" in failed.reason
    (log,) = cache.rglob("build.log")
    assert str(log) in failed.reason
    assert "more" in log.read_text()
    tools.cargo()
    assert Ready(build(cache)) == state(cache)


def test_others_see_a_build_and_wait_for_it(tools: FakeToolchain, cache: Path) -> None:
    gate = tools.bin.parent / "gate"
    os.mkfifo(gate)
    tools.cargo(extra=f"read line <{gate}")
    started = datetime.now(UTC)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(build, cache)
        wait_until(lambda: tools.build_count == 1)
        now = state(cache)
        second = pool.submit(build, cache)
        gate.write_text("go\n")
        assert first.result() == second.result()
    assert isinstance(now, Building)
    assert timedelta(seconds=-5) < now.since - started < timedelta(minutes=1)
    assert tools.build_count == 1


def test_a_killed_builder_leaves_no_build_behind(
    tools: FakeToolchain, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.cargo(extra="while :; do :; done")
    script = "import sys, pathlib; from processor.stackwalk import build; "
    # The wrapper that ends cargo with its builder is part of this.
    setpriv = shutil.which("setpriv", path=os.defpath)
    assert setpriv is not None
    (tools.bin / "setpriv").symlink_to(setpriv)
    builder = subprocess.Popen(
        [sys.executable, "-c", f"{script} build.build(pathlib.Path(sys.argv[1]))", str(cache)]
    )
    wait_until(lambda: tools.build_count == 1)
    assert isinstance(state(cache), Building)
    (cargo,) = Path(f"/proc/{builder.pid}/task/{builder.pid}/children").read_text().split()
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    wait_until(lambda: not is_running(int(cargo)))
    assert state(cache) == Unavailable("The stackwalker is not built yet.")
    tools.cargo()
    assert Ready(build(cache)) == state(cache)


def test_looking_at_the_state_never_fails_a_builder(tools: FakeToolchain, cache: Path) -> None:
    """Who looks holds the lock for a moment: a builder waits for it."""
    lock = cache / "stackwalker" / "build.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with lock.open() as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_SH)
        path = pool.submit(build, cache)
        fcntl.flock(file, fcntl.LOCK_UN)
        assert path.result().exists()


def test_a_cache_that_cannot_be_written_is_a_sentence(tools: FakeToolchain, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BuildFailed, match=r"cannot be built in .*: .*Not a directory"):
        build(tmp_path / "file")


def test_a_cargo_that_is_too_old_is_not_used(tools: FakeToolchain, cache: Path) -> None:
    tools.cargo(version="1.85.0")
    with pytest.raises(BuildFailed, match=r"needs Rust 1\.87 or later"):
        build(cache)
    assert isinstance(state(cache), Unavailable)
    assert tools.build_count == 0


def test_a_rustc_that_is_too_old_is_not_used(tools: FakeToolchain, cache: Path) -> None:
    tools.add("rustc", "echo rustc 1.63.0")
    with pytest.raises(BuildFailed, match="apt-get install cargo-web rustc-web"):
        build(cache)


@pytest.mark.parametrize("broken", ["exit 1", "echo no version", "kill -9 $$"])
def test_a_cargo_on_path_that_does_not_work_is_passed_over(
    tools: FakeToolchain, cache: Path, tmp_path: Path, broken: str
) -> None:
    home = FakeToolchain(tmp_path / "home" / ".cargo")
    tools.add("cargo", broken)
    assert build(cache).exists()
    assert (home.build_count, tools.build_count) == (1, 0)


def test_debians_cargo_is_found_last(
    tools: FakeToolchain, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian = FakeToolchain(tmp_path / "debian")
    monkeypatch.setattr(toolchain, "SYSTEM_CARGO", debian.bin / "cargo")
    tools.cargo(version="1.63.0")
    assert build(cache).exists()
    assert debian.build_count == 1


def test_a_missing_c_compiler_is_a_sentence(tools: FakeToolchain, cache: Path) -> None:
    (tools.bin / "cc").unlink()
    with pytest.raises(BuildFailed, match="C compiler"):
        build(cache)


def test_root_on_debian_gets_the_packages(
    tools: FakeToolchain, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    later = FakeToolchain(tmp_path / "later")
    (tools.bin / "cargo").unlink()
    install = f'[ "$1" = update ] || /bin/ln -s {later.bin}/cargo {tools.bin}/cargo'
    tools.add("apt-get", f'echo "$@" >>{asked}\n{install}')
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BuildFailed, match="needs Rust"):
        build(cache)
    assert not asked.exists()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert build(cache).exists()
    assert asked.read_text().splitlines() == [
        "update",
        "install -y --no-install-recommends cargo-web rustc-web gcc libc6-dev",
    ]


def test_flags_of_other_projects_do_not_reach_the_build(
    tools: FakeToolchain, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTFLAGS", "--cfg other")
    monkeypatch.setenv("CARGO_BUILD_TARGET", "wasm32-unknown-unknown")
    tools.cargo(extra='[ -z "$RUSTFLAGS$CARGO_BUILD_TARGET" ] || exit 1')
    assert build(cache).exists()


def test_the_default_cache_follows_the_standard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_cache() == Path("/caches/socorro")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == tmp_path / ".cache" / "socorro"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == tmp_path / ".cache" / "socorro"


def test_the_command_prints_the_path_or_what_is_wrong(
    tools: FakeToolchain,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    tools.cargo(extra="exit 1")
    assert main() == 1
    assert "no error was printed" in capsys.readouterr().err
    tools.cargo()
    assert main() == 0
    assert Path(capsys.readouterr().out.strip()).read_text() == "built\n"


def test_a_user_without_a_home_has_no_cache_and_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert default_cache() == Path("/nonexistent/.cache/socorro")
    assert isinstance(state(default_cache()), Unavailable)
