# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Static files, under names that change with their content."""

import re

import pytest
from django.test import Client

from webapp.static_files import hashed_name


def test_pages_name_files_that_may_be_kept_for_ever(client: Client) -> None:
    html = client.get("/nothing-here").content.decode()
    found = re.findall(r'"(/static/[^"]+)"', html)
    assert {address.rpartition(".")[2] for address in found} == {"css", "js", "svg"}
    for address in set(found):
        response = client.get(address)
        assert response.status_code == 200
        assert re.search(r"\.[0-9a-f]{12}\.", address)
        assert "immutable" in response["Cache-Control"]
        assert response["X-Content-Type-Options"] == "nosniff"


def test_the_plain_name_is_kept_for_a_short_time(client: Client) -> None:
    response = client.get("/static/crashstats/site.css")
    assert response.status_code == 200
    assert response["Cache-Control"] == "max-age=60, public"
    assert response["Content-Type"].startswith("text/css")


def test_a_name_with_another_hash_is_not_found(client: Client) -> None:
    assert client.get("/static/crashstats/site.000000000000.css").status_code == 404


@pytest.mark.parametrize("name", ["../settings.py", "crashstats/../../settings.py", "%00"])
def test_nothing_else_is_served(client: Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_file_that_does_not_exist_is_an_error_for_developers() -> None:
    with pytest.raises(FileNotFoundError, match="no static file"):
        hashed_name("crashstats/nothing.css")


def test_the_icon_is_where_browsers_look_for_it(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert client.get(response["Location"])["Content-Type"] == "image/svg+xml"
