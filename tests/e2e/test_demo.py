# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro demo`: samples in, pages out."""

import html
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from socorro.cli.demo import Sample, load_samples
from tests.e2e.fleet import Fleet
from tests.e2e.server import Installation, Server, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def stopped_after(server: Server) -> Iterator[Server]:
    """A server that the demo starts itself."""
    yield server
    server.socorro("stop")


def test_the_demo_starts_a_server_and_every_sample_gets_its_signature_and_page(
    stopped_after: Server, stackwalker_binary: Path
) -> None:
    for _ in ("first", "second"):
        assert_samples_get_their_signature_and_page(stopped_after, "demo")
    stop = stopped_after.socorro("stop")
    assert stop.stdout.startswith("Stopped process"), stop.stdout + stop.stderr


def test_in_a_fleet_every_sample_gets_its_signature_and_page(shared_fleet: Fleet) -> None:
    assert_samples_get_their_signature_and_page(shared_fleet, "demo", "--no-start")


def assert_samples_get_their_signature_and_page(installation: Installation, *command: str) -> None:
    """Samples in, pages out, and found by their signature."""
    samples, _ = load_samples()
    demo = installation.socorro(*command, timeout=240)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    pages = [line.strip() for line in demo.stdout.splitlines() if "/report/index/" in line]
    assert len(pages) == len(samples)
    for page, sample in zip(pages, samples, strict=True):
        assert sample.signature in demo.stdout
        response = requests.get(page, timeout=30)
        assert response.status_code == 200
        assert sample.signature in html.unescape(response.text)
        path = page.removeprefix(installation.webapp)
        wait_until("found by its signature", partial(_is_found, installation, sample, path))


def _is_found(installation: Installation, sample: Sample, path: str) -> bool:
    params = {"signature": f"={sample.signature}"}
    return path in requests.get(f"{installation.webapp}/search/", params=params, timeout=30).text


def test_symbols_that_come_late_mend_the_crash(server: Server) -> None:
    samples, folders = load_samples()
    sample = next(sample for sample in samples if sample.dump.stem == "threads")
    server.start()
    crash_id = server.submit(sample.annotations, sample.dump)
    assert server.wait_for_crash(crash_id)["signature"] == "threads"

    added = server.socorro("symbols", "add", *map(str, folders))
    assert added.returncode == 0, added.stdout + added.stderr
    assert "1 crashes are queued" in added.stdout

    def mended() -> bool:
        crash = server.processed_crash(crash_id) or {}
        return crash.get("signature") == sample.signature

    wait_until("processed again with symbols", mended)
    server.stop()
