# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The API's service that has crashes processed again."""

from collections.abc import Callable, Sequence

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client

from socorro.queue import LocalQueue, QueueName, QueueUnavailable, Task
from webapp.crashstats import handles

A = "0b5e3a1c-9c1e-4a6e-8f43-2b8d10261122"
B = "1b5e3a1c-9c1e-4a6e-8f43-2b8d10261121"
URL = "/api/Reprocessing/"


@pytest.fixture
def allowed(client_with: Callable[..., Client]) -> Client:
    return client_with("reprocess_crashes")


def queued() -> list[Task]:
    received = handles.queue().receive(100, wait=0, queues=[QueueName.REPROCESSING])
    return [message.task for message in received]


def test_crashes_are_queued_to_be_processed_again(allowed: Client) -> None:
    response = allowed.post(URL, {"crash_ids": [A, f"{B}:regenerate_signature"]})
    assert (response.status_code, response.content) == (200, b"null")
    assert response["Content-Type"] == "application/json; charset=UTF-8"
    assert "no-store" in response["Cache-Control"]
    assert queued() == [Task(A), Task(B, "regenerate_signature")]
    assert handles.queue().depth()[QueueName.STANDARD].ready == 0


def test_an_id_that_is_given_twice_is_queued_once(allowed: Client) -> None:
    assert allowed.post(URL, {"crash_ids": [A, A, f"{A}:default"]}).status_code == 200
    assert queued() == [Task(A)]


def test_what_clients_send_is_understood(allowed: Client) -> None:
    """They send the ids as a form of an address' kind, and Django's test client does not."""
    form = [("crash_ids", A), ("crash_ids", f"{B}:regenerate_signature")]
    sent = requests.Request("POST", f"http://testserver{URL}", data=form).prepare()
    kind = sent.headers["Content-Type"]
    assert kind == "application/x-www-form-urlencoded"
    assert allowed.post(URL, sent.body, content_type=kind).status_code == 200
    assert queued() == [Task(A), Task(B, "regenerate_signature")]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([A, "junk"], "Crash id 'junk' is not valid."),
        ([f"bp-{A}"], f"Crash id 'bp-{A}' is not valid."),
        (["0b5e3a1c-9c1e-4a6e-8f43-2b8d10261322"], "2b8d10261322' is not valid."),
        ([A, f"{B}:bogus"], "Ruleset 'bogus' is not valid."),
        ([f"{A}:"], "Ruleset '' is not valid."),
        (["x" * 5000], f"Crash id '{'x' * 80}' is not valid."),
        (["\0"], "is not valid."),
    ],
)
def test_one_that_is_wrong_keeps_all_from_being_queued(
    allowed: Client, wanted: Sequence[str], said: str
) -> None:
    response = allowed.post(URL, {"crash_ids": wanted})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error.startswith("Bad request: BadArgumentError: Bad value for parameter(s) '")
    assert said in error
    assert queued() == []


def test_ids_are_required(allowed: Client) -> None:
    response = allowed.post(URL, {"crashids": A})
    assert response.status_code == 400
    assert response.json() == {"errors": {"crash_ids": ["This field is required."]}}


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_post_is_allowed(allowed: Client, method: str) -> None:
    response = getattr(allowed, method)(URL)
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("permissions", [None, (), ("view_pii", "view_rawdump")])
def test_it_needs_its_own_permission(
    client_with: Callable[..., Client], permissions: Sequence[str] | None, method: str
) -> None:
    client = Client() if permissions is None else client_with(*permissions)
    response = getattr(client, method)(URL, {"crash_ids": [A, "junk"]})
    assert response.status_code == 403
    assert response.json() == {
        "error": "Use of this endpoint requires the 'Reprocess Crashes' permission"
    }
    assert queued() == []


def test_another_site_cannot_use_the_session_of_a_visitor(allowed: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    response = strict.post(URL, {"crash_ids": A}, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403
    assert "application/json" in response["Content-Type"]
    assert queued() == []


def test_a_queue_that_is_away_is_said_so(allowed: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise QueueUnavailable("secret details")

    monkeypatch.setattr(LocalQueue, "publish", away)
    response = allowed.post(URL, {"crash_ids": A})
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert response.json() == {"error": "The queue does not answer"}


def test_more_ids_than_a_request_may_have_are_refused(allowed: Client) -> None:
    body = "&".join(f"crash_ids={A}" for _ in range(2000))
    kind = "application/x-www-form-urlencoded"
    response = allowed.post(URL, body, content_type=kind)
    assert response.status_code == 400
    assert response.json() == {"error": "Bad request"}
    assert queued() == []
