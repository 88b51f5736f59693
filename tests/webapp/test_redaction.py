# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Protected data: in no answer to a stranger, and where those who may see it look for it."""

from typing import Any

import pytest
from django.test import Client

from socorro.fields import ANNOTATIONS, FIELDS
from tests.webapp.crashes import Crashes, walk

pytestmark = pytest.mark.usefixtures("each_database")

MARK = "Vf3protectedQz"
ADDRESSES = (
    "/",
    "/report/index/{id}",
    "/report/signature/{id}",
    "/report/signature/{id}?part",
    "/api/ProcessedCrash/?crash_id={id}",
    "/api/ProcessedCrash/?crash_id={id}&pretty=print&datatype=processed",
    "/api/RawCrash/?crash_id={id}",
    "/api/RawCrash/?crash_id={id}&format=meta",
    "/search/",
    "/search/?signature=~acme",
    "/search/?user_comments=~" + MARK[:4],
    "/search/?_columns=user_comments&_facets=url&_sort=user_comments",
)


def with_marks() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return annotations and fields with a mark in everything that is protected."""
    annotations: dict[str, Any] = {
        name: f"{MARK} {name}" for name, known in ANNOTATIONS.items() if known.protected
    }
    annotations["NobodyKnowsThisOne"] = f"{MARK} unknown annotation"
    annotations["metadata"] = {"user_agent": MARK}
    fields: dict[str, Any] = {
        name: _value(field.type) for name, field in FIELDS.items() if field.protected
    }
    fields["nobody_knows_this_field"] = MARK
    fields["json_dump"] = _dump()
    fields["upload_file_minidump_browser"] = {"json_dump": _dump(), MARK: MARK}
    return annotations, fields


def _value(kind: str) -> Any:
    return {"object": {MARK: MARK}, "array": [MARK, {MARK: MARK}]}.get(kind, MARK)


def _dump() -> dict[str, Any]:
    dump = walk("threads")
    registers = {"rax": MARK, MARK: "0x1"}
    for thread in (*dump["threads"], dump["crashing_thread"]):
        for frame in thread["frames"]:
            frame["registers"] = registers
            frame["nobody_knows"] = MARK
    dump["crash_info"]["memory_accesses"] = [{"address": "0x1", "is_likely_guard_page": MARK}]
    dump |= {"mac_boot_args": MARK, "soft_errors": [MARK], "handles": [MARK], "proc_limits": MARK}
    return dump


@pytest.fixture
def crash_id(crashes: Crashes) -> str:
    """A crash whose every protected value is marked."""
    annotations, fields = with_marks()
    crash = crashes.processed(
        annotations=annotations, dumps={"upload_file_minidump": MARK.encode()}, **fields
    )
    crashes.index(crash)
    return crash


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_answer_to_a_stranger_holds_protected_data(
    client: Client, crash_id: str, address: str
) -> None:
    response = client.get(address.format(id=crash_id))
    assert response.status_code in (200, 400)
    # The search page may repeat what the stranger asked, which is shorter than the mark.
    assert MARK not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_account_alone_shows_no_more(client_with: Any, crash_id: str, address: str) -> None:
    response = client_with().get(address.format(id=crash_id))
    assert MARK not in response.content.decode()


def test_those_who_may_see_protected_data_see_it_and_are_told(
    trusted: Client, crash_id: str
) -> None:
    html = trusted.get(f"/report/index/{crash_id}").content.decode()
    for text in (
        "You see protected data",
        f"{MARK} unknown annotation",
        f"{MARK} Comments",
        "What the user wrote",
        "Registers",
        f'<dd class="code">{MARK}</dd>',
    ):
        assert text in html


def test_those_who_may_see_protected_data_get_the_stored_documents(
    trusted: Client, crash_id: str
) -> None:
    processed = trusted.get("/api/ProcessedCrash/", {"crash_id": crash_id}).json()
    raw = trusted.get("/api/RawCrash/", {"crash_id": crash_id}).json()
    assert processed["user_comments"] == MARK
    assert processed["nobody_knows_this_field"] == MARK
    assert raw["NobodyKnowsThisOne"] == f"{MARK} unknown annotation"
    assert raw["metadata"] == {"user_agent": MARK}


def test_pages_with_protected_data_are_kept_nowhere(trusted: Client, crash_id: str) -> None:
    for address in ("/report/index/{id}", "/api/RawCrash/?crash_id={id}"):
        response = trusted.get(address.format(id=crash_id))
        assert response["Cache-Control"] == "private, no-store"


def test_strangers_are_told_that_there_may_be_more(client: Client, crash_id: str) -> None:
    html = client.get(f"/report/index/{crash_id}").content.decode()
    assert "people with the permission only" in html
    assert "Registers" not in html
