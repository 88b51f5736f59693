# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Error reports: what leaves this machine, to the last key."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk

from socorro import __version__, sentry
from socorro.sentry import report_error, set_up_sentry
from socorro.settings import load
from tests.sentry_mailbox import Mailbox, reports_kept

CRASH_ID = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122"
SECRET = "the-comment-of-a-user"
ADDRESS = "192.0.2.7"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with reports_kept(load(), "processor") as mailbox:
        yield mailbox


def raise_with_secrets(comment: str) -> None:
    local_variable = {"Comments": comment}
    try:
        raise ValueError(f"inner {comment}")
    except ValueError as inner:
        raise KeyError(f"cannot handle {local_variable}") from inner


def report_a_leaky_error() -> None:
    sentry_sdk.set_user({"email": SECRET, "ip_address": ADDRESS})
    sentry_sdk.set_context("report", {"comment": SECRET})
    sentry_sdk.set_extra("comment", SECRET)
    sentry_sdk.set_tag("comment", SECRET)
    sentry_sdk.add_breadcrumb(message=SECRET)
    try:
        raise_with_secrets(SECRET)
    except KeyError as error:
        report_error(error, crash_id=CRASH_ID, ruleset="default", rule="SignatureRule")


def test_an_event_holds_exactly_what_may_leave(mailbox: Mailbox) -> None:
    with sentry_sdk.isolation_scope():
        report_a_leaky_error()
    (event,) = mailbox.events()
    sdk = event.pop("sdk")
    assert sdk["name"] == "sentry.python"
    assert set(sdk["integrations"]) == {"atexit", "dedupe", "excepthook", "threading"}
    for key in ("event_id", "timestamp", "server_name"):
        assert isinstance(event.pop(key), str)
    exceptions = event.pop("exception")["values"]
    assert event == {
        "environment": "production",
        "level": "error",
        "platform": "python",
        "release": __version__,
        "tags": {
            "service": "processor",
            "crash_id": CRASH_ID,
            "ruleset": "default",
            "rule": "SignatureRule",
        },
    }
    assert [set(exception) for exception in exceptions] == [{"type", "module", "stacktrace"}] * 2
    assert [exception["type"] for exception in exceptions] == ["ValueError", "KeyError"]
    frames = [frame for exception in exceptions for frame in exception["stacktrace"]["frames"]]
    assert {frame["function"] for frame in frames} == {"raise_with_secrets", "report_a_leaky_error"}
    assert {key for frame in frames for key in frame} == {
        "filename",
        "function",
        "module",
        "lineno",
        "in_app",
        "context_line",
        "pre_context",
        "post_context",
    }


def test_no_text_of_a_report_leaves(mailbox: Mailbox) -> None:
    with sentry_sdk.isolation_scope():
        report_a_leaky_error()
    (envelope,) = mailbox.envelopes
    sent = envelope.serialize()
    # Source lines around the frames are sent, so the two words must not stand near them.
    assert SECRET.encode() not in sent
    assert ADDRESS.encode() not in sent


def test_an_uncaught_error_of_a_thread_is_reported_and_scrubbed(mailbox: Mailbox) -> None:
    def fail() -> None:
        raise ValueError(SECRET)

    thread = threading.Thread(target=fail)
    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        thread.start()
        thread.join()
    finally:
        threading.excepthook = hook
    (event,) = mailbox.events()
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert SECRET not in str(event)


def test_an_event_that_cannot_be_scrubbed_is_dropped(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: dict[str, Any]) -> dict[str, Any]:
        raise TypeError(str(event))

    monkeypatch.setattr(sentry, "keep_only_safe", fail)
    with sentry_sdk.isolation_scope():
        report_a_leaky_error()
    assert mailbox.events() == []
    assert "was dropped" in caplog.text
    assert SECRET not in caplog.text


def test_without_a_project_nothing_is_sent_and_nothing_fails() -> None:
    set_up_sentry(load(), "processor")
    report_error(ValueError(SECRET), crash_id=CRASH_ID)
