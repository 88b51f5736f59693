# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Log in and out."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.test import Client

from tests.webapp.conftest import PASSWORD
from tests.webapp.crashes import Crashes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_database")]


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def test_logging_in_leads_back_to_where_one_came_from(client: Client, user: User) -> None:
    response = client.post(
        "/login/?next=/search/", {"username": "ada", "password": PASSWORD, "next": "/search/"}
    )
    assert response.status_code == 302
    assert response["Location"] == "/search/"
    assert b"Log out" in client.get("/login-does-not-exist").content


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_logging_in_leads_to_no_other_site(client: Client, user: User, target: str) -> None:
    response = client.post("/login/", {"username": "ada", "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


def test_the_login_page_never_leads_to_itself(client: Client, user: User) -> None:
    fields = {"username": "ada", "password": PASSWORD, "next": "/login/?next=/login/"}
    assert client.post("/login/", fields)["Location"] == "/"
    response = client.get("/login/?next=/login/")
    assert response.status_code == 302
    assert response["Location"] == "/"


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "ada", "password": "wrong"},
        {"username": "ada", "password": ""},
        {"username": "a\0", "password": "x"},
        {"username": "x" * 10_000, "password": "y" * 10_000},
        {},
    ],
)
def test_a_wrong_login_says_so(client: Client, user: User, fields: dict[str, str]) -> None:
    response = client.post("/login/", fields)
    assert response.status_code == 200
    assert b'role="alert"' in response.content


def test_an_account_that_was_switched_off_shows_nothing(client: Client, user: User) -> None:
    client.force_login(user)
    user.is_active = False
    user.save()
    assert b"Log out" not in client.get("/").content


def test_logging_out_needs_a_post(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert b"Log out" not in client.get("/").content


def test_cookies_are_kept_from_scripts_and_other_sites(client: Client, user: User) -> None:
    response = client.post("/login/", {"username": "ada", "password": PASSWORD})
    session = response.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


def test_the_permissions_exist() -> None:
    names = set(
        Permission.objects.filter(content_type__app_label="crashstats").values_list(
            "codename", flat=True
        )
    )
    assert {"view_pii", "view_rawdump"} <= names


@pytest.mark.parametrize(
    "key", ['"abc\\000defghijk"', "x" * 5000, "café-sessions", "' OR 1=1 --", ""]
)
def test_a_session_cookie_that_holds_no_key_is_not_looked_up(
    key: str,
    client: Client,
    django_assert_num_queries: Callable[[int], AbstractContextManager[None]],
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/", headers={"Cookie": f"sessionid={key}"})
    assert response.status_code == 200
    assert b"Log in" in response.content


def test_a_stranger_causes_no_query(
    client: Client,
    crashes: Crashes,
    django_assert_num_queries: Callable[[int], AbstractContextManager[None]],
) -> None:
    crash_id = crashes.processed()
    with django_assert_num_queries(0):
        for address in (
            "/",
            "/search/?product=DemoApp",
            f"/report/index/{crash_id}",
            f"/api/ProcessedCrash/?crash_id={crash_id}",
            "/login/",
            "/nothing-here",
        ):
            assert client.get(address).status_code in (200, 404), address


def test_a_session_that_cannot_be_saved_is_an_outage_and_no_error(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("the server is away")

    def create(session: SessionStore) -> None:
        session._session_key = session._get_new_session_key()
        session.modified = True

    monkeypatch.setattr(SessionStore, "create", create)
    monkeypatch.setattr(SessionStore, "save", fail)
    response = client.post("/login/", {"username": "ada", "password": PASSWORD})
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert "sessionid" not in response.cookies
