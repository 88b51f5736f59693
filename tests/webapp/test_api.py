# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The API: processed crashes, annotations and dumps."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from socorro.crash_id import make_crash_id
from tests.webapp.crashes import Crashes

PII, DUMPS = "view_pii", "view_rawdump"


def test_a_processed_crash_is_json(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    response = client.get("/api/ProcessedCrash/", {"crash_id": crash_id})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json; charset=UTF-8"
    assert response.json()["uuid"] == crash_id
    assert response.json()["signature"] == "acme::jobs::Worker::StoreResult"


def test_annotations_are_json(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.report({"ReleaseChannel": "beta"})
    raw = client.get("/api/RawCrash/", {"crash_id": crash_id, "format": "meta"}).json()
    assert raw["ReleaseChannel"] == "beta"
    assert raw["version"] == 2


@pytest.mark.parametrize("service", ["ProcessedCrash", "RawCrash"])
@pytest.mark.parametrize(
    ("parameters", "status", "body"),
    [
        ({}, 400, {"errors": {"crash_id": ["This field is required."]}}),
        ({"crash_id": " "}, 400, {"errors": {"crash_id": ["This field is required."]}}),
        ({"crash_id": "a\0"}, 400, {"errors": {"crash_id": ["Null characters are not allowed."]}}),
        (
            {"crash_id": "junk"},
            400,
            {"error": "Bad request: BadArgumentError: Bad value for parameter(s) 'uuid'"},
        ),
        (
            {"crash_id": "bp-0b5f9a3c-1111-4222-8333-012340261101"},
            400,
            {"error": "Bad request: BadArgumentError: Bad value for parameter(s) 'uuid'"},
        ),
        (
            {"crash_id": "0b5f9a3c-1111-4222-8333-012340261301"},
            400,
            {"error": "Bad request: BadArgumentError: Bad value for parameter(s) 'uuid'"},
        ),
        (
            {"crash_id": "0b5f9a3c-1111-4222-8333-012340261101"},
            404,
            {"error": "Not found: CrashIDNotFound 0b5f9a3c-1111-4222-8333-012340261101"},
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_json(
    client: Client, service: str, parameters: dict[str, str], status: int, body: object
) -> None:
    response = client.get(f"/api/{service}/", parameters)
    assert response.status_code == status
    assert response.json() == body


def test_an_unknown_service_is_not_found(client: Client) -> None:
    response = client.get("/api/Nonsense/")
    assert response.status_code == 404
    assert response.json() == {"error": "No service called 'Nonsense'"}


@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_only_get_is_allowed(client: Client, method: str) -> None:
    response = getattr(client, method)("/api/ProcessedCrash/")
    assert response.status_code == 405
    assert response["Allow"] == "GET"


def test_an_unknown_format_is_refused(client: Client, crashes: Crashes) -> None:
    response = client.get("/api/RawCrash/", {"crash_id": crashes.report(), "format": "xml"})
    assert response.status_code == 400
    assert "'format'" in response.json()["error"]


def test_json_can_be_indented_for_people(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.report()
    response = client.get("/api/RawCrash/", {"crash_id": crash_id, "pretty": "print"})
    assert response.content.startswith(b"{\n  ")


def test_no_value_can_end_a_script(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.report({"ReleaseChannel": "</script>"})
    response = client.get("/api/RawCrash/", {"crash_id": crash_id})
    assert b"</" not in response.content
    assert response.json()["ReleaseChannel"] == "</script>"


def test_what_the_fast_encoder_cannot_write_is_still_json(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.report({"ReleaseChannel": "lone \ud800", "BuildID": 2**80})
    raw = json.loads(client.get("/api/RawCrash/", {"crash_id": crash_id}).content)
    assert raw["ReleaseChannel"] == "lone \ud800"
    assert raw["BuildID"] == 2**80


def test_the_body_is_compressed_for_clients_that_take_it(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    response = client.get(
        "/api/ProcessedCrash/", {"crash_id": crash_id}, headers={"Accept-Encoding": "gzip"}
    )
    assert response["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(response.content))["uuid"] == crash_id


def test_dumps_need_their_permission_and_nothing_tells_strangers_what_exists(
    client: Client, crashes: Crashes, trusted: Client
) -> None:
    exists = crashes.report(dumps={"upload_file_minidump": b"MDMP"})
    answers = {
        (response.status_code, response.content)
        for who in (client, trusted)
        for crash_id in (exists, make_crash_id(datetime.now(UTC)))
        for name in ("", "upload_file_minidump", "other")
        for response in [
            who.get("/api/RawCrash/", {"crash_id": crash_id, "format": "raw", "name": name})
        ]
    }
    assert answers == {(403, b'{"error": "Binary response requires permissions: View Raw Dumps"}')}


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("", "{id}.dmp"),
        ("dump", "{id}-dump.dmp"),
        ("upload_file_minidump", "{id}-dump.dmp"),
    ],
)
def test_the_main_dump_has_three_names(
    client_with: Callable[..., Client], crashes: Crashes, name: str, file_name: str
) -> None:
    crash_id = crashes.report(dumps={"upload_file_minidump": b"MDMP body"})
    response = client_with(DUMPS).get(
        "/api/RawCrash/", {"crash_id": crash_id, "format": "raw", "name": name}
    )
    assert response.status_code == 200
    assert response.getvalue() == b"MDMP body"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Length"] == "9"
    expected = file_name.format(id=crash_id)
    assert response["Content-Disposition"] == f'attachment; filename="{expected}"'
    assert response["Cache-Control"] == "private, no-store"


def test_a_memory_report_has_its_own_file_name(
    client_with: Callable[..., Client], crashes: Crashes
) -> None:
    crash_id = crashes.report(dumps={"memory_report": b"gz"})
    response = client_with(DUMPS).get(
        "/api/RawCrash/", {"crash_id": crash_id, "format": "raw", "name": "memory_report"}
    )
    assert 'filename="memory_report.json.gz"' in response["Content-Disposition"]


@pytest.mark.parametrize(
    "name", ["raw_crash", "processed_crash", "../raw_crash", "dump_names", "x" * 999, "a\0", "ü"]
)
def test_only_dumps_that_the_crash_lists_can_be_had(
    client_with: Callable[..., Client], crashes: Crashes, name: str
) -> None:
    crash_id = crashes.processed(dumps={"upload_file_minidump": b"MDMP"})
    response = client_with(DUMPS).get(
        "/api/RawCrash/", {"crash_id": crash_id, "format": "raw", "name": name}
    )
    assert response.status_code == 404


def test_the_report_links_the_dumps_for_those_who_may_have_them(
    client: Client, client_with: Callable[..., Client], crashes: Crashes
) -> None:
    crash_id = crashes.processed(dumps={"upload_file_minidump": b"MDMP"})
    link = "format=raw&amp;name=upload_file_minidump"
    assert link not in client.get(f"/report/index/{crash_id}").content.decode()
    assert link in client_with(DUMPS).get(f"/report/index/{crash_id}").content.decode()
