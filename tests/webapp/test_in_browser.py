# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The pages in a real browser: nothing overflows a narrow screen, nothing is blocked or fails."""

from collections.abc import Iterator
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Literal
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from playwright.sync_api import Browser, Page

from tests.webapp.crashes import Crashes

Scheme = Literal["light", "dark"]

ADDRESSES = (
    "/",
    "/report/index/{id}",
    "/report/signature/{id}",
    "/search/?signature=~a",
    "/search/?date=soon",
    "/documentation/datadictionary/",
    "/documentation/datadictionary/?q=no+such+words",
    "/documentation/datadictionary/dataset/processed/field/json_dump",
    "/documentation/datadictionary/dataset/processed/field/version",
    "/login/",
    "/nothing-here",
)
# What may look like anything: long names without a place to break, wide characters.
LONG = "a_very_long_name_without_any_place_to_break_" * 6
ATTACK = "<img src=/x onerror=document.title=1><script>document.title=2</script>"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing of a request."""


@pytest.fixture
def site() -> Iterator[str]:
    """Crash Stats at an address of its own."""
    application = get_wsgi_application()
    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def crash_id(crashes: Crashes) -> str:
    """A crash with a hostile text in every place."""
    crash = crashes.processed(
        walk_of="windows",
        signature=f"{LONG}::{ATTACK}",
        product=ATTACK,
        version=LONG,
        reason=LONG,
        processor_notes=f"{LONG}\n{ATTACK}",
        annotations={"ReleaseChannel": LONG, "Version": ATTACK, "BuildID": "x" * 5000},
    )
    crashes.index(crash)
    return crash


def opened(browser: Browser, address: str, width: int, scheme: Scheme) -> tuple[Page, list[str]]:
    problems: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.goto(address)
    return page, [problem for problem in problems if "404" not in problem and "400" not in problem]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1280, "light")])
def test_pages_fit_the_screen_and_break_no_rule(
    site: str,
    browser: Browser,
    crash_id: str,
    address: str,
    width: int,
    scheme: Scheme,
) -> None:
    page, problems = opened(browser, site + address.format(id=crash_id), width, scheme)
    title = page.title()
    assert problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert title not in ("1", "2")
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    page.close()


def test_a_report_is_read_and_searched_by_keyboard(
    site: str, browser: Browser, crashes: Crashes
) -> None:
    crash_id = crashes.indexed()
    page, problems = opened(browser, f"{site}/report/index/{crash_id}", 1280, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.locator("details.thread summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.thread[open]").count() == 1
    page.keyboard.press("/")
    page.keyboard.type("StoreResult")
    page.keyboard.press("Enter")
    page.locator(f'a[href="/report/index/{crash_id}"]').click()
    assert page.locator("h1").inner_text() == "acme::jobs::Worker::StoreResult"
    assert problems == []
    page.close()


def test_a_link_to_a_thread_opens_it(site: str, browser: Browser, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    page, _ = opened(browser, f"{site}/report/index/{crash_id}#thread-1", 1280, "light")
    assert page.locator("details#thread-1[open]").count() == 1
    page.close()


def test_the_stack_can_be_copied(site: str, browser: Browser, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    page, _ = opened(browser, f"{site}/report/index/{crash_id}", 1280, "light")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy the stack")
    button.click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[0] == (
        "0  threads  acme::jobs::Worker::StoreResult(int*, int)  /build/demo/threads.cpp:23"
    )
    page.close()


def test_how_a_signature_was_made_opens_within_the_report(
    site: str, browser: Browser, crashes: Crashes
) -> None:
    crash_id = crashes.processed()
    page, problems = opened(browser, f"{site}/report/index/{crash_id}", 1280, "light")
    assert page.locator(".how-signed").is_hidden()
    page.locator("details.explanation summary").focus()
    page.keyboard.press("Enter")
    page.locator("details.explanation table.trail").wait_for()
    assert page.locator(".part-loading").is_hidden()
    assert page.locator(".part-failed").is_hidden()
    assert problems == []
    page.close()


def test_an_explanation_that_cannot_be_loaded_says_so_and_is_tried_again(
    site: str, browser: Browser, crashes: Crashes
) -> None:
    crash_id = crashes.processed()
    page, _ = opened(browser, f"{site}/report/index/{crash_id}", 375, "dark")
    page.route("**/report/signature/**", lambda route: route.abort())
    summary = page.locator("details.explanation summary")
    summary.click()
    page.get_by_text("It could not be loaded").wait_for()
    assert page.locator(".part-loading").is_hidden()
    page.unroute("**/report/signature/**")
    summary.click()
    summary.click()
    page.locator("details.explanation table.trail").wait_for()
    assert page.locator(".part-failed").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.close()


def test_how_a_signature_was_made_is_a_link_without_javascript(
    site: str, browser: Browser, crashes: Crashes
) -> None:
    crash_id = crashes.processed()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/report/index/{crash_id}")
    assert page.locator("details.explanation").is_hidden()
    page.get_by_role("link", name="How this signature was made").click()
    assert page.locator("h1").inner_text() == "How its signature was made"
    assert page.locator("table.trail").count() == 1
    context.close()
