# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The search page."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.webapp.crashes import Crashes


def found(html: str) -> set[str]:
    return set(re.findall(r'href="/report/index/([0-9a-f-]{36})"', html))


def search(client: Client, query: str) -> str:
    response = client.get(f"/search/?{query}")
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


@pytest.fixture
def three(crashes: Crashes) -> dict[str, str]:
    """Three crashes that differ in everything."""
    ids = {
        "alpha": crashes.processed(
            signature="acme::Alpha<T>::Run", product="Alpha", version="1.0", os_name="Linux"
        ),
        "beta": crashes.processed(
            signature="acme::Beta::Run", product="Beta", version="2.0", os_name="Windows"
        ),
        "old": crashes.processed(
            signature="other::Old",
            product="Beta",
            version="1.0",
            os_name="Mac OS X",
            age=timedelta(days=20),
        ),
    }
    crashes.index(*ids.values())
    return ids


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"alpha", "beta"}),
        ("signature=%3Dacme%3A%3AAlpha%3CT%3E%3A%3ARun", {"alpha"}),
        ("signature=%3Dacme", set()),
        ("signature=~Beta", {"beta"}),
        ("signature=!~Beta", {"alpha"}),
        ("signature=%5Eacme", {"alpha", "beta"}),
        ("signature=%24Run", {"alpha", "beta"}),
        ("signature=~*", set()),
        ("product=Alpha", {"alpha"}),
        ("product=Alpha&product=Beta", {"alpha", "beta"}),
        ("version=2.0", {"beta"}),
        ("platform=Windows", {"beta"}),
        ("product=Beta&date=>=2026-01-01", {"beta", "old"}),
    ],
)
def test_a_search_finds_what_matches(
    client: Client, three: dict[str, str], query: str, names: set[str]
) -> None:
    begin = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}"
    html = search(client, query.replace("2026-01-01", begin))
    assert found(html) == {three[name] for name in names}


def test_the_link_of_a_report_finds_the_report(client: Client, three: dict[str, str]) -> None:
    for crash_id in three.values():
        html = client.get(f"/report/index/{crash_id}").content.decode()
        link = re.search(r'href="/search/\?(signature=[^"]+)"', html)
        assert link
        assert crash_id in found(search(client, link[1].replace("&amp;", "&")))


def test_facets_count_and_narrow(client: Client, three: dict[str, str]) -> None:
    html = search(client, "signature=%5Eacme")
    assert 'href="/search/?signature=%5Eacme&amp;product=%3DBeta"' in html
    assert 'href="/search/?signature=%3Dacme%3A%3ABeta%3A%3ARun"' in html
    narrowed = search(client, "signature=%5Eacme&product=%3DBeta")
    assert found(narrowed) == {three["beta"]}
    assert 'href="/search/?signature=%5Eacme" aria-current="true"' in narrowed


def test_narrowing_to_a_value_finds_as_many_as_were_counted(
    client: Client, crashes: Crashes
) -> None:
    names = ("Acme Studio", "Acme Server", "acme studio", "Studio")
    ids = {name: crashes.processed(product=name) for name in names}
    crashes.index(*ids.values())
    html = search(client, "")
    links = re.findall(r'href="/search/\?(product=[^"]+)"', html)
    assert len(links) == len(names)
    assert [len(found(search(client, link))) for link in links] == [1] * len(names)


def test_a_filter_in_force_can_be_taken_away(client: Client, three: dict[str, str]) -> None:
    html = search(client, "product=Beta&signature=%3Dacme%3A%3ABeta%3A%3ARun")
    assert "is exactly" in html
    assert 'href="/search/?product=Beta" aria-label="Remove the filter signature' in html


def test_the_form_becomes_an_address_to_share(client: Client) -> None:
    response = client.get(
        "/search/",
        {
            "signature_operator": "=",
            "signature_value": " a&b ",
            "product": "Alpha",
            "version": "",
            "platform": "",
            "date_from": "2026-11-01",
            "date_to": "2026-11-30",
        },
    )
    assert response.status_code == 302
    assert response["Location"] == (
        "/search/?signature=%3Da%26b&product=Alpha&date=%3E%3D2026-11-01&date=%3C2026-12-01"
    )


def test_the_form_shows_the_search_again(client: Client) -> None:
    html = search(
        client,
        "signature=!~foo&product=Alpha&product=Beta&date=%3E%3D2026-11-01&date=%3C2026-12-01",
    )
    assert '<option value="!~" selected>' in html
    assert 'name="signature_value" value="foo"' in html
    assert 'name="product" value="Alpha"' in html
    assert '<input type="hidden" name="product" value="Beta">' in html
    assert 'name="date_from" type="date" value="2026-11-01"' in html
    assert 'name="date_to" type="date" value="2026-11-30"' in html


def test_results_come_in_pages(client: Client, crashes: Crashes) -> None:
    ids = [crashes.processed(age=timedelta(seconds=60 * n)) for n in range(53)]
    crashes.index(*ids)
    first = search(client, "product=DemoApp")
    assert found(first) == set(ids[:50])
    assert "(1 to 50)" in first
    assert 'href="/search/?product=DemoApp&amp;page=2"' in first
    second = search(client, "product=DemoApp&page=2")
    assert found(second) == set(ids[50:])
    assert "(51 to 53)" in second
    assert 'rel="prev" href="/search/?product=DemoApp"' in second
    assert 'rel="next"' not in second


def test_columns_sort(client: Client, three: dict[str, str]) -> None:
    html = search(client, "_sort=-version")
    assert html.index(three["beta"]) < html.index(three["alpha"])
    assert 'aria-sort="descending"><a href="/search/?_sort=version">Version' in html


def test_a_search_that_finds_nothing_says_how_to_widen_it(client: Client) -> None:
    html = search(client, "product=Nobody")
    assert "No crash matches" in html
    assert "the last 90 days" in html


@pytest.mark.parametrize(
    "query",
    [
        "date=soon",
        "date=%3E%3Dsoon",
        "date_from=soon",
        "date=%3E%3D1990-01-01",
        "date=%3E%3D2026-02-02&date=%3C2026-01-01",
        "uptime=many",
    ],
)
def test_a_search_that_cannot_be_is_refused_with_a_sentence(client: Client, query: str) -> None:
    response = client.get(f"/search/?{query}", follow=True)
    assert response.status_code == 400
    assert b'class="banner error" role="alert"' in response.content


def test_without_the_index_the_page_says_so(client: Client) -> None:
    (django_settings.SOCORRO.data / "search" / "index-of-another-version").mkdir(parents=True)
    response = client.get("/search/")
    assert response.status_code == 503
    assert b"search index does not answer" in response.content


ID = "0b5f9a3c-1111-4222-8333-012340261101"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (ID, f"/report/index/{ID}"),
        (f" bp-{ID} ", f"/report/index/{ID}"),
        (ID.upper(), f"/report/index/{ID}"),
        (f"https://crashes.example/report/index/{ID}#modules", f"/report/index/{ID}"),
        ("Worker::Store", "/search/?signature=~Worker%3A%3AStore"),
        ("a & b", "/search/?signature=~a+%26+b"),
        ("http://[", "/search/?signature=~http%3A%2F%2F%5B"),
        ("", "/search/"),
        ("\0", "/search/"),
    ],
)
def test_the_search_box_knows_ids_from_signatures(client: Client, text: str, target: str) -> None:
    response = client.get("/search/quick/", {"query": text})
    assert response.status_code == 302
    assert response["Location"] == target
