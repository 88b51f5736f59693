# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The home page."""

from datetime import UTC, datetime, timedelta

from django.conf import settings as django_settings
from django.test import Client

from tests.webapp.crashes import Crashes
from webapp.crashstats.overview import overview


def test_an_empty_installation_says_how_to_send_a_first_crash(client: Client) -> None:
    html = client.get("/").content.decode()
    assert "No crash yet" in html
    assert "socorro demo" in html
    assert "curl -F ProductName" in html
    assert f"{django_settings.SOCORRO.collector_address}/submit" in html


def test_the_latest_crashes_are_listed_newest_first(client: Client, crashes: Crashes) -> None:
    old = crashes.processed(age=timedelta(hours=3))
    new = crashes.processed(age=timedelta(hours=1))
    crashes.index(old, new)
    html = client.get("/").content.decode()
    assert html.index(f"/report/index/{new}") < html.index(f"/report/index/{old}")


def test_each_product_has_its_counts_and_top_signatures(client: Client, crashes: Crashes) -> None:
    ids = [crashes.processed(product="Alpha", signature="one") for _ in range(2)]
    ids += [crashes.processed(product="Alpha", signature="two", version="9.9")]
    ids += [crashes.processed(product="Beta", signature="three")]
    crashes.index(*ids)
    shown = overview()
    assert shown.total == 4
    assert [(product.name, product.count) for product in shown.products] == [
        ("Alpha", 3),
        ("Beta", 1),
    ]
    alpha = shown.products[0]
    assert [(s.term, s.count) for s in alpha.signatures] == [("one", 2), ("two", 1)]
    assert {v.term: v.count for v in alpha.versions} == {"1.2.3": 2, "9.9": 1}
    html = client.get("/").content.decode()
    assert 'href="/search/?product=%3DAlpha"' in html
    assert 'href="/search/?product=%3DAlpha&amp;signature=%3Dtwo"' in html


def test_products_with_a_file_come_first_with_their_description(
    client: Client, crashes: Crashes
) -> None:
    ids = [crashes.processed(product="Unheard Of") for _ in range(3)]
    crashes.index(*ids, crashes.processed(product="DemoApp"))
    assert [product.name for product in overview().products] == ["DemoApp", "Unheard Of"]
    assert "Small programs that crash on purpose" in client.get("/").content.decode()


def test_the_chart_counts_every_day(crashes: Crashes) -> None:
    now = datetime.now(UTC).replace(hour=12, minute=0)
    since = datetime.now(UTC) - now
    ages = [since, since + timedelta(days=2), since + timedelta(days=2)]
    crashes.index(*[crashes.processed(age=age) for age in ages])
    (product,) = overview(now).products
    assert [day.count for day in product.days] == [0, 0, 0, 0, 2, 0, 1]
    assert [day.height for day in product.days] == [2, 2, 2, 2, 40, 2, 20]
    assert all(day.y + day.height == 40 for day in product.days)


def test_an_installation_whose_crashes_are_old_is_not_empty(
    client: Client, crashes: Crashes
) -> None:
    crash_id = crashes.processed(age=timedelta(days=40))
    crashes.index(crash_id)
    html = client.get("/").content.decode()
    assert "No crash yet" not in html
    assert "No crash came in within the last 7 days" in html
    assert f"/report/index/{crash_id}" in html


def test_a_crash_without_product_or_signature_is_listed(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed(product=None, signature=None, version=None, os_name=None)
    crashes.index(crash_id)
    assert f"/report/index/{crash_id}" in client.get("/").content.decode()


def test_without_the_index_the_home_page_says_so(client: Client) -> None:
    (django_settings.SOCORRO.data / "search" / "index-of-another-version").mkdir(parents=True)
    response = client.get("/")
    assert response.status_code == 200
    assert b"search index does not answer" in response.content
