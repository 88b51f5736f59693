# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The ids of reports, and who may choose them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.app import CollectorApp, create_app
from collector.throttling import Outcome, Rule, RuleThrottler
from collector.throttling.conditions import always
from socorro.crash_id import Throttle, date_of, is_crash_id, make_crash_id, throttle_of
from socorro.queue import CrashQueue
from socorro.settings import Settings
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Answer, annotation, extra, post

TOKEN = "correct horse battery staple ü"
CHOSEN = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20260101"
IGNORED = "ignored the uuid of the client, which had no valid token"


@pytest.fixture
def guarded(settings: Settings, storage: FilesystemStorage, queue: CrashQueue) -> CollectorApp:
    """A collector that lets those with the token choose the id."""
    return create_app(replace(settings, submit_uuid_token=TOKEN), storage, queue)


def submit(app: CollectorApp, uuid: Any, authorization: str | None = None) -> Answer:
    headers = {} if authorization is None else {"Authorization": authorization}
    return post(app, extra({"uuid": uuid, "a": "b"}), headers=headers)


def as_sent(text: str) -> str:
    """A header as WSGI hands it on: its bytes read as latin-1."""
    return text.encode().decode("latin-1")


def test_ids_carry_the_verdict_and_the_day(app: CollectorApp) -> None:
    crash_id = post(app, annotation("a", "b")).crash_id
    assert is_crash_id(crash_id)
    assert throttle_of(crash_id) == 0
    assert abs(date_of(crash_id) - datetime.now(UTC).date()) <= timedelta(days=1)


def test_ids_are_never_the_same(app: CollectorApp) -> None:
    assert len({post(app, annotation("a", "b")).crash_id for _ in range(50)}) == 50


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_client_with_the_token_chooses_the_id(
    guarded: CollectorApp, storage: FilesystemStorage, scheme: str
) -> None:
    answer = submit(guarded, CHOSEN, as_sent(f"{scheme} {TOKEN}"))
    assert answer.crash_id == CHOSEN
    raw_crash = storage.load_raw_crash(CHOSEN)
    assert raw_crash["uuid"] == CHOSEN
    assert raw_crash["metadata"]["collector_notes"] == []


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        "Bearer \xff\x80",
        "Bearer " + "x" * 8000,
    ],
)
def test_a_client_without_the_token_gets_an_id_of_ours(
    guarded: CollectorApp, storage: FilesystemStorage, authorization: str | None
) -> None:
    answer = submit(guarded, CHOSEN, authorization and as_sent(authorization))
    assert answer.crash_id != CHOSEN
    raw_crash = storage.load_raw_crash(answer.crash_id)
    assert raw_crash["uuid"] == answer.crash_id
    assert raw_crash["metadata"]["collector_notes"] == [IGNORED]


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer ", "Bearer x"])
def test_nobody_chooses_when_there_is_no_token(
    app: CollectorApp, authorization: str | None
) -> None:
    assert submit(app, CHOSEN, authorization).crash_id != CHOSEN


@pytest.mark.parametrize(
    "uuid",
    [
        "",
        "x",
        f"{CHOSEN}\n",
        f"bp-{CHOSEN}",
        CHOSEN.upper(),
        CHOSEN[:-6] + "999999",
        CHOSEN[:-6] + "260230",
        CHOSEN[:-7] + "3" + CHOSEN[-6:],
        CHOSEN[:-7] + "f" + CHOSEN[-6:],
        "../../../../../../../../../../261122",
        f"{datetime.now(UTC) + timedelta(days=40):{CHOSEN[:-6]}%y%m%d}",
        None,
        1,
        [CHOSEN],
        {"a": CHOSEN},
        "\ud800",
    ],
)
def test_a_right_token_with_a_bad_id_is_refused(
    guarded: CollectorApp, storage: FilesystemStorage, uuid: Any
) -> None:
    answer = submit(guarded, uuid, as_sent(f"Bearer {TOKEN}"))
    assert (answer.status, answer.body) == (400, "Discarded=malformed_invalid_uuid")
    assert list(storage.spool.iterdir()) == []


@pytest.mark.parametrize("uuid", ["x", None, 1, [], "\ud800"])
def test_a_bad_id_without_a_token_is_ignored_as_well(
    guarded: CollectorApp, storage: FilesystemStorage, uuid: Any
) -> None:
    crash_id = submit(guarded, uuid).crash_id
    assert storage.load_raw_crash(crash_id)["uuid"] == crash_id


def test_a_setting_refuses_reports_with_an_id_and_no_token(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    app = create_app(replace(settings, refuse_unauthorized_uuid=True), storage, queue)
    answer = submit(app, CHOSEN)
    assert (answer.status, answer.body) == (401, "Discarded=unauthorized_uuid")
    assert post(app, annotation("a", "b")).crash_id


def test_a_token_without_an_id_is_an_ordinary_report(guarded: CollectorApp) -> None:
    answer = post(
        guarded, annotation("a", "b"), headers={"Authorization": as_sent(f"Bearer {TOKEN}")}
    )
    assert answer.crash_id


def test_a_report_that_is_stored_is_not_overwritten_by_its_repetition(
    guarded: CollectorApp, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    crash_id = make_crash_id(datetime.now(UTC))
    authorization = as_sent(f"Bearer {TOKEN}")
    assert submit(guarded, crash_id, authorization).crash_id == crash_id
    before = storage.load_raw_crash(crash_id)
    again = post(
        guarded,
        extra({"uuid": crash_id, "a": "another"}),
        headers={"Authorization": authorization},
    )
    assert again.crash_id == crash_id
    assert storage.load_raw_crash(crash_id) == before
    assert [message.task.crash_id for message in queue.receive(5, wait=0)] == [crash_id]


def test_a_field_called_crash_id_is_only_an_annotation(
    guarded: CollectorApp, storage: FilesystemStorage
) -> None:
    crash_id = post(guarded, annotation("crash_id", CHOSEN)).crash_id
    assert crash_id != CHOSEN
    assert storage.load_raw_crash(crash_id)["crash_id"] == CHOSEN


@pytest.mark.parametrize("verdict", [Throttle.ACCEPT, Throttle.DEFER])
@pytest.mark.parametrize("digit", [0, 1])
def test_the_digit_of_a_chosen_id_says_whether_the_crash_is_deferred(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue, verdict: Throttle, digit: int
) -> None:
    rules = RuleThrottler([Rule("all", always, Outcome(verdict))])
    app = create_app(replace(settings, submit_uuid_token=TOKEN), storage, queue, rules)
    chosen = f"{CHOSEN[:29]}{digit}{CHOSEN[30:]}"
    assert submit(app, chosen, as_sent(f"Bearer {TOKEN}")).crash_id == chosen
    assert storage.has_raw_crash(chosen)
    assert queue.holding([chosen]) == (frozenset() if digit else {chosen})
