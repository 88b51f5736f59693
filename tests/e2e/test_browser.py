# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What an engineer does in a browser: open a report, follow its signature, find the crash."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from socorro.cli.demo import load_samples
from tests.e2e.server import Installation, wait_until

pytestmark = pytest.mark.e2e

SCREENSHOTS = Path(__file__).with_name("screenshots")
SIGNATURE = "acme::jobs::Worker::StoreResult"


@pytest.fixture(scope="module")
def crash_id(installation: Installation) -> str:
    """A sample's crash, processed with symbols."""
    samples, folders = load_samples()
    installation.socorro("symbols", "add", *map(str, folders))
    sample = next(sample for sample in samples if sample.signature == SIGNATURE)
    crash = installation.submit(sample.annotations, sample.dump)
    assert installation.wait_for_crash(crash)["signature"] == SIGNATURE
    return crash


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on a script error or a violated content policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    yield page
    context.close()
    assert problems == []


def test_from_a_report_by_its_signature_to_a_search_and_back(
    installation: Installation, crash_id: str, page: Page
) -> None:
    page.goto(f"{installation.webapp}/report/index/{crash_id}")
    expect(page.get_by_text("acme::jobs::Worker::StoreResult").first).to_be_visible()
    expect(page.get_by_text("threads.cpp:23").first).to_be_visible()
    shoot(page, "report")

    def found() -> bool:
        page.goto(f"{installation.webapp}/report/index/{crash_id}")
        page.get_by_role("link", name=SIGNATURE).first.click()
        page.wait_for_load_state()
        return page.locator(f'a[href*="{crash_id}"]').count() > 0

    wait_until("the search finds the crash", found)
    assert "/search/" in page.url
    shoot(page, "search")
    page.locator(f'a[href*="{crash_id}"]').first.click()
    expect(page.locator("h1")).to_contain_text(SIGNATURE)


def test_pages_fit_a_phone_and_dark_mode(
    installation: Installation, crash_id: str, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800}, color_scheme="dark")
    page = context.new_page()
    for name, path in (
        ("home", "/"),
        ("report", f"/report/index/{crash_id}"),
        ("search", "/search/"),
    ):
        page.goto(f"{installation.webapp}{path}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 375, f"{name} is {width} pixels wide"
        shoot(page, f"{name}-phone-dark")
    context.close()


def shoot(page: Page, name: str) -> None:
    """Keep a screenshot for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
