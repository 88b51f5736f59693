# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""No query parameter, however hostile, is an error of ours."""

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webapp.crashes import Crashes

VALUES = (
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF%FE",
    "%",
    "%zz",
    "x" * 7000,
    "9" * 5000,
    "-1",
    "1e999",
    "NaN",
    "=",
    "!",
    "!!",
    "~",
    "@(",
    "@(a+)%2B$",
    "@" + "(" * 1000,
    "@.*" * 300,
    "%3E%3D",
    "%3E%3D0001-01-01",
    "%3C9999-12-31",
    "%3E%3D2026-11-01T25:00:00",
    "__null__",
    "!__null__",
    "__true__",
    "*",
    "\\",
    "%27%20OR%201=1--",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "%7B%7Bself%7D%7D",
    "%E2%80%AE%E2%80%A8",
    "",
)
SEARCH_PARAMETERS = (
    "signature",
    "product",
    "version",
    "platform",
    "date",
    "uptime",
    "uuid",
    "user_comments",
    "page",
    "_sort",
    "_facets",
    "_columns",
    "_results_number",
    "date_from",
    "date_to",
    "signature_operator",
    "signature_value",
    "nonsense",
)
OTHERS = (
    "/?{}",
    "/search/quick/?query={}",
    "/login/?next={}",
    "/api/ProcessedCrash/?crash_id={}",
    "/api/RawCrash/?crash_id={}",
    "/api/{}/",
    "/report/index/{}",
    "/{}",
    "/static/{}",
)


@pytest.mark.django_db
@pytest.mark.parametrize("parameter", SEARCH_PARAMETERS)
def test_a_search_answers_or_refuses_but_never_fails(client: Client, parameter: str) -> None:
    for value in VALUES:
        address = f"/search/?{parameter}={value}&{parameter}={value}"
        response = client.get(address, follow=True)
        assert response.status_code in (200, 400), address
        assert b"<script>alert" not in response.content, address


@pytest.mark.django_db
@pytest.mark.parametrize("address", OTHERS)
def test_other_addresses_answer_or_refuse_but_never_fail(client: Client, address: str) -> None:
    for value in VALUES:
        response = client.get(address.format(value))
        assert response.status_code < 500, (address, value)
        content = b"".join(response) if response.streaming else response.content
        assert b"<script>alert" not in content, (address, value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(SEARCH_PARAMETERS) | st.text(), st.text()), max_size=6))
def test_made_up_searches_answer_or_refuse(parameters: list[tuple[str, str]]) -> None:
    query: dict[str, list[str]] = {}
    for name, value in parameters:
        query.setdefault(name, []).append(value)
    response = Client().get("/search/", query, follow=True)
    assert response.status_code in (200, 400)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_made_up_quick_searches_lead_somewhere(text: str) -> None:
    response = Client().get("/search/quick/", {"query": text})
    assert response.status_code == 302
    assert response["Location"].startswith(("/search/", "/report/index/"))


def test_signatures_with_any_mark_can_be_searched_from_their_report(
    client: Client, crashes: Crashes
) -> None:
    crash_id = crashes.processed(signature="=!~^$@ <T>&x=y#z %41 \u202e é")
    crashes.index(crash_id)
    html = client.get(f"/report/index/{crash_id}").content.decode()
    begin = html.index('href="/search/?signature=') + len('href="')
    address = html[begin : html.index('"', begin)].replace("&amp;", "&")
    assert f"/report/index/{crash_id}" in client.get(address).content.decode()
