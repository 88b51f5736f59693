# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes come before the stackwalker does: they wait for its build, or are processed twice."""

import fcntl
import shutil
from pathlib import Path

import pytest

from processor.stackwalk.build import BINARY, default_cache
from socorro.cli.demo import Sample, load_samples
from tests.e2e.server import Server, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def sample() -> Sample:
    samples, _ = load_samples()
    return next(sample for sample in samples if sample.dump.stem == "nested_null")


def with_symbols(server: Server) -> None:
    _, folders = load_samples()
    server.settings = {**server.settings, "SYMBOLS": ",".join(map(str, folders))}


def test_a_crash_with_a_minidump_waits_while_the_stackwalker_is_built(
    server: Server, sample: Sample, stackwalker_binary: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    place = cache / "socorro" / stackwalker_binary.parent.relative_to(default_cache())
    place.mkdir(parents=True)
    server.settings = {"XDG_CACHE_HOME": str(cache)}
    with_symbols(server)
    with (place.parent / "build.lock").open("a") as lock:
        # As a builder does while it builds.
        fcntl.flock(lock, fcntl.LOCK_EX)
        server.start()
        waits = server.submit(sample.annotations, sample.dump)
        goes_on = server.submit({"ProductName": "DemoApp", "Version": "1"})
        server.wait_for_crash(goes_on)
        assert server.processed_crash(waits) is None
        shutil.copy2(stackwalker_binary, place / f"{BINARY}.new")
        (place / f"{BINARY}.new").rename(place / BINARY)
    assert server.wait_for_crash(waits)["signature"] == sample.signature
    assert server.stop() == 0


def test_a_crash_without_a_stackwalker_says_so_and_is_processed_again_when_there_is_one(
    server: Server, sample: Sample, stackwalker_binary: Path, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "no-cache"
    in_the_way.write_text("")
    server.settings = {"XDG_CACHE_HOME": str(in_the_way)}
    with_symbols(server)
    server.start()
    crash_id = server.submit(sample.annotations, sample.dump)
    before = server.wait_for_crash(crash_id)
    assert before["mdsw_status_string"] == "NoStackwalker"
    assert "there is no stackwalker" in before["processor_notes"]
    assert server.stop() == 0

    server.settings = {key: value for key, value in server.settings.items() if key == "SYMBOLS"}
    server.start()

    def walked() -> bool:
        crash = server.processed_crash(crash_id) or {}
        return crash.get("signature") == sample.signature

    wait_until("processed again", walked)
    assert server.stop() == 0
