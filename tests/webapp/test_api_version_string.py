# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The API's VersionString: which version a build was released as."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from processor.versions import ApiVersions
from webapp.crashstats.models import ProductVersion

BUILD = "20261123093507"


@pytest.fixture
def add(db: None) -> Callable[..., None]:
    """Add versions of the build."""

    def add(*versions: str, channel: str = "beta") -> None:
        for version in versions:
            ProductVersion.objects.create(
                product="Firefox", channel=channel, build_id=BUILD, version=version
            )

    return add


def ask(client: Client, **changes: str) -> Any:
    """Return what is answered about the build."""
    parameters = {"product": "Firefox", "channel": "beta", "build_id": BUILD} | changes
    response = client.get("/api/VersionString/", parameters)
    assert response.status_code == 200
    answer = response.json()
    assert answer["total"] == len(answer["hits"])
    return [hit["version_string"] for hit in answer["hits"]]


def test_the_version_of_a_build_is_found(client: Client, add: Callable[..., None]) -> None:
    add("128.0b4")
    assert ask(client) == ask(client, channel="BETA") == ["128.0b4"]


@pytest.mark.parametrize(
    "changes", [{"product": "firefox"}, {"channel": "release"}, {"build_id": "2026112309350"}]
)
def test_another_build_is_not_known(
    client: Client, add: Callable[..., None], changes: dict[str, str]
) -> None:
    add("128.0b4")
    assert ask(client, **changes) == []


@pytest.mark.parametrize("channel", ["beta", "aurora"])
def test_the_last_beta_is_no_release_candidate(
    client: Client, add: Callable[..., None], channel: str
) -> None:
    add("128.0rc1", "128.0b9", channel=channel)
    assert ask(client, channel=channel) == ["128.0b9"]


def test_a_release_that_is_offered_to_beta_is_its_candidate(
    client: Client, add: Callable[..., None]
) -> None:
    add("128.0", "128.0rc2")
    assert ask(client) == ["128.0rc2"]


def test_a_release_is_called_what_it_is(client: Client, add: Callable[..., None]) -> None:
    add("128.0", "128.0rc2", channel="release")
    assert ask(client, channel="release") == ["128.0", "128.0rc2"]


@pytest.mark.parametrize(
    ("parameters", "errors"),
    [
        (
            {"channel": "beta", "build_id": " "},
            {
                "product": ["This field is required."],
                "build_id": ["This field is required."],
            },
        ),
        (
            {"product": "Firefox", "channel": "b\0", "build_id": BUILD},
            {"channel": ["Null characters are not allowed."]},
        ),
    ],
)
def test_all_parameters_are_needed(
    client: Client, parameters: dict[str, str], errors: dict[str, list[str]]
) -> None:
    response = client.get("/api/VersionString/", parameters)
    assert (response.status_code, response.json()) == (400, {"errors": errors})


def test_it_can_only_be_asked(client: Client) -> None:
    response = client.post("/api/VersionString/")
    assert (response.status_code, response["Allow"]) == (405, "GET")


def test_a_version_of_a_build_is_there_once(add: Callable[..., None]) -> None:
    add("128.0b4")
    with pytest.raises(IntegrityError), transaction.atomic():
        add("128.0b4")


@pytest.mark.django_db(transaction=True)
def test_the_processor_understands_the_answer(live_server: Any) -> None:
    ProductVersion.objects.create(
        product="Firefox", channel="beta", build_id=BUILD, version="128.0b4"
    )
    versions = ApiVersions(f"{live_server.url}/api/VersionString/")
    assert versions.find("Firefox", "beta", BUILD) == "128.0b4"
    assert versions.find("Firefox", "beta", "1") is None
    versions.close()
