# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Headers, hosts and the pages for what goes wrong."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.test import Client
from django.urls import path
from pytest_django import Settings

import webapp
from webapp.crashstats.views import errors

PAGES = ("/", "/login/", "/search/", "/nothing-here", "/robots.txt", "/api/ProcessedCrash/")


def broken(request: HttpRequest) -> None:
    raise RuntimeError("a text that no page may show")


urlpatterns = [path("broken/", broken), path("api/broken/", broken)]
handler500 = errors.server_error


def policy(response: Any) -> dict[str, str]:
    directives = response["Content-Security-Policy"].split(";")
    return {name: value for name, _, value in (d.strip().partition(" ") for d in directives)}


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_every_page_allows_nothing_inline_and_nothing_from_other_hosts(
    client: Client, address: str
) -> None:
    assert policy(client.get(address)) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_the_headers_that_protect_it(client: Client, address: str) -> None:
    response = client.get(address)
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/login/", "/search/", "/nothing-here"])
def test_no_page_has_anything_inline(client: Client, address: str) -> None:
    html = client.get(address).content.decode()
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick=" not in html
    assert html.count("<script") == html.count('<script src="/static/')


def test_strangers_get_no_cookie(client: Client) -> None:
    assert not client.get("/").cookies


def test_a_page_that_is_not_there_says_so_in_style(client: Client) -> None:
    response = client.get("/nothing-here")
    assert response.status_code == 404
    assert b"Page not found" in response.content
    assert b"/static/crashstats/site." in response.content


def test_an_unknown_host_is_refused_with_the_way_to_allow_it(client: Client) -> None:
    response = client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert b"ALLOWED_HOSTS" in response.content


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1", "[::1]:8001"])
def test_this_machine_is_always_answered(client: Client, host: str) -> None:
    assert client.get("/robots.txt", headers={"Host": host}).status_code == 200


def test_too_many_parameters_are_a_bad_request(client: Client) -> None:
    response = client.get("/search/?" + "&".join(["a=1"] * 1001))
    assert response.status_code == 400
    assert b"Bad request" in response.content


@pytest.mark.urls(__name__)
def test_an_error_of_ours_shows_a_page_and_not_what_failed(settings: Settings) -> None:
    settings.DEBUG = False
    client = Client(raise_request_exception=False)
    response = client.get("/broken/")
    assert response.status_code == 500
    assert b"Something went wrong" in response.content
    assert b"no page may show" not in response.content
    assert b"Traceback" not in response.content


@pytest.mark.urls(__name__)
def test_an_error_of_ours_is_json_in_the_api() -> None:
    response = Client(raise_request_exception=False).get("/api/broken/")
    assert response.status_code == 500
    assert response.json() == {"error": "Internal Server Error"}


def test_a_form_without_its_token_is_refused_in_style() -> None:
    response = Client(enforce_csrf_checks=True).post("/login/", {"username": "x"})
    assert response.status_code == 403
    assert b"This form is too old" in response.content


def test_debug_is_off() -> None:
    assert django_settings.SOCORRO.debug is False
    assert django_settings.DEBUG is False


def test_search_engines_are_kept_out(client: Client) -> None:
    assert client.get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"


def test_templates_name_no_other_host_and_escape_everything() -> None:
    templates = list((Path(webapp.__file__).parent).rglob("*.html"))
    assert len(templates) > 10
    for template in templates:
        text = template.read_text()
        assert not re.search(r"https?://|[\"'(]//", text), template
        assert "|safe" not in text, template
        assert "autoescape" not in text, template
