# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The report page of ids that are not, not yet or not any more a processed crash."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client

from socorro.crash_id import Throttle, make_crash_id
from socorro.queue import QueueName
from tests.webapp.crashes import Crashes
from webapp.crashstats import handles
from webapp.crashstats.models import PriorityRequest

pytestmark = pytest.mark.usefixtures("each_database")

KNOWN_FREE = "0b5f9a3c-1111-4222-8333-0123450261101"


def waiting_ids(queue: QueueName) -> list[str]:
    messages = handles.queue().receive(100, wait=0, queues=[queue])
    return [message.task.crash_id for message in messages]


def test_the_prefix_of_an_id_is_taken_away(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    response = client.get(f"/report/index/bp-{crash_id}")
    assert response.status_code == 302
    assert response["Location"] == f"/report/index/{crash_id}"


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "0",
        KNOWN_FREE.upper(),
        KNOWN_FREE + "0",
        KNOWN_FREE + "\n",
        "bp-bp-" + KNOWN_FREE,
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "%ED%A0%80",
        "a" * 5000,
    ],
)
def test_what_has_not_the_shape_of_an_id_is_not_found(client: Client, name: str) -> None:
    response = client.get(f"/report/index/{name}")
    assert response.status_code == 404
    assert b"Page not found" in response.content


@pytest.mark.parametrize("day", ["261301", "260230", "269999", "000000"])
def test_an_id_of_a_day_that_does_not_exist_is_invalid(client: Client, day: str) -> None:
    response = client.get(f"/report/index/0b5f9a3c-1111-4222-8333-012345{day}")
    assert response.status_code == 400
    assert b"Invalid crash ID" in response.content


def test_an_unknown_crash_is_not_found(client: Client) -> None:
    crash_id = make_crash_id(datetime.now(UTC))
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 404
    assert b"Crash not found" in response.content
    assert crash_id.encode() in response.content


@pytest.mark.django_db
def test_a_crash_that_is_not_processed_is_asked_for_before_others(
    client: Client, crashes: Crashes
) -> None:
    crash_id = crashes.report()
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 200
    assert b"not processed yet" in response.content
    assert waiting_ids(QueueName.PRIORITY) == [crash_id]


@pytest.mark.django_db
def test_a_crash_is_asked_for_at_most_once_a_minute(client: Client, crashes: Crashes) -> None:
    crash_id, other = crashes.report(), crashes.report()
    for _ in range(3):
        client.get(f"/report/index/{crash_id}")
    assert waiting_ids(QueueName.PRIORITY) == [crash_id]
    client.get(f"/report/index/{crash_id}")
    client.get(f"/report/index/{other}")
    assert waiting_ids(QueueName.PRIORITY) == [other]


@pytest.mark.django_db
def test_a_crash_that_still_waits_after_a_minute_is_asked_for_again(
    client: Client, crashes: Crashes
) -> None:
    crash_id = crashes.report()
    client.get(f"/report/index/{crash_id}")
    (message,) = handles.queue().receive(1, wait=0)
    handles.queue().acknowledge(message)
    PriorityRequest.objects.update(requested_at=datetime.now(UTC) - timedelta(seconds=61))
    client.get(f"/report/index/{crash_id}")
    assert waiting_ids(QueueName.PRIORITY) == [crash_id]


@pytest.mark.django_db
def test_old_requests_are_forgotten(client: Client, crashes: Crashes) -> None:
    client.get(f"/report/index/{crashes.report()}")
    PriorityRequest.objects.update(requested_at=datetime.now(UTC) - timedelta(days=2))
    newer = crashes.report()
    client.get(f"/report/index/{newer}")
    assert [request.crash_id for request in PriorityRequest.objects.all()] == [newer]


@pytest.mark.django_db
def test_the_waiting_page_looks_again_ever_more_seldom_and_then_stops(
    client: Client, crashes: Crashes
) -> None:
    address = f"/report/index/{crashes.report()}"
    pauses = []
    for _ in range(100):
        html = client.get(address).content.decode()
        refresh = re.search(r'http-equiv="refresh" content="([0-9]+); url=([^"]+)"', html)
        if refresh is None:
            break
        pauses.append(int(refresh[1]))
        address = refresh[2]
    assert 5 < len(pauses) < 30
    assert pauses == sorted(pauses)
    assert 300 < sum(pauses) < 1200
    assert "has stopped looking" in html


@pytest.mark.django_db
@pytest.mark.parametrize("looks", ["-1", "x", "9" * 5000, "\u0663", "", "1.5"])
def test_a_made_up_number_of_looks_is_taken_for_none(
    client: Client, crashes: Crashes, looks: str
) -> None:
    response = client.get(f"/report/index/{crashes.report()}", {"wait": looks})
    assert response.status_code == 200
    assert b"?wait=1" in response.content


@pytest.mark.django_db
def test_the_waiting_page_leads_to_the_report_when_it_is_there(
    client: Client, crashes: Crashes
) -> None:
    crash_id = crashes.processed()
    response = client.get(f"/report/index/{crash_id}?wait=4")
    assert response.status_code == 302
    assert response["Location"] == f"/report/index/{crash_id}"


@pytest.mark.django_db
def test_a_deferred_crash_says_that_it_was_put_aside(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.report(throttle=Throttle.DEFER)
    assert b"put it aside" in client.get(f"/report/index/{crash_id}").content


@pytest.mark.django_db
def test_the_waiting_page_says_how_many_crashes_wait(client: Client, crashes: Crashes) -> None:
    client.get(f"/report/index/{crashes.report()}")
    html = client.get(f"/report/index/{crashes.report()}").content.decode()
    assert "<strong>2 crashes</strong>" in html


@pytest.mark.django_db
def test_a_queue_that_does_not_answer_is_said_and_asked_again_at_once(
    client: Client, crashes: Crashes
) -> None:
    crash_id = crashes.report()
    folder = settings.SOCORRO.data / "queue"
    folder.write_text("in the way of the queue's folder")
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 200
    assert b"queue does not answer" in response.content
    folder.unlink()
    handles.close()
    assert b"goes before others" in client.get(f"/report/index/{crash_id}").content
    assert waiting_ids(QueueName.PRIORITY) == [crash_id]


@pytest.mark.django_db
def test_a_database_that_does_not_answer_keeps_a_crash_from_going_first_and_no_more(
    client: Client, crashes: Crashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("the server is away")

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", fail)
        response = client.get(f"/report/index/{crashes.report()}")
    assert response.status_code == 200
    assert b"The database does not answer" in response.content
    assert b"processed in its turn" in response.content
    assert waiting_ids(QueueName.PRIORITY) == []


def test_without_storage_the_page_says_so(client: Client, tmp_path: Path) -> None:
    root = settings.SOCORRO.data / "crashes"
    root.parent.mkdir(parents=True)
    crash_id = make_crash_id(datetime.now(UTC))
    # A file in the place of a crash's folder reads as "no such crash"; a folder in the place of
    # its file, as an error.
    day = f"20{crash_id[-6:]}"
    (root / "v1" / "raw_crash" / day / crash_id[:3] / crash_id).mkdir(parents=True)
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert b"Crash storage does not answer" in response.content
