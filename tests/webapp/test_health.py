# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What machines watch."""

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from socorro.build import build_facts
from webapp.crashstats import handles

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.mark.django_db
def test_all_is_well(client: Client) -> None:
    response = client.get("/__heartbeat__")
    assert response.status_code == 200
    assert response.json() == {
        "ok": True,
        "checks": {"database": "ok", "search": "ok", "storage": "ok"},
    }
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize(("part", "folder"), [("storage", "crashes"), ("search", "search")])
def test_what_does_not_answer_is_named(client: Client, part: str, folder: str) -> None:
    data = django_settings.SOCORRO.data
    data.mkdir(parents=True)
    (data / folder).write_text("in the way")
    response = client.get("/__heartbeat__")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert "does not answer" in checks.pop(part)
    assert set(checks.values()) == {"ok"}
    # The address of a folder tells about the machine.
    assert str(data) not in response.content.decode()


@pytest.mark.django_db
def test_storages_that_are_two_are_both_asked(client: Client, settings: Settings) -> None:
    from dataclasses import replace

    data = settings.SOCORRO.data
    settings.SOCORRO = replace(settings.SOCORRO, processed_storage=f"fs://{data}/processed")
    assert client.get("/__heartbeat__").status_code == 200
    assert handles.processed_storage() is not handles.raw_storage()
    (data / "processed" / "spool").rmdir()
    (data / "processed" / "spool").write_text("in the way")
    assert client.get("/__heartbeat__").status_code == 503


@pytest.mark.parametrize("address", ["/__lbheartbeat__", "/__version__"])
def test_load_balancers_may_ask_by_any_host_name(client: Client, address: str) -> None:
    response = client.get(address, headers={"Host": "10.1.2.3:8001"})
    assert response.status_code == 200


def test_the_version_is_told(client: Client) -> None:
    assert client.get("/__version__").json() == {"name": "socorro", **build_facts()}


@pytest.mark.parametrize("address", ["/__heartbeat__", "/__lbheartbeat__", "/__version__"])
def test_health_is_read_only(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405
