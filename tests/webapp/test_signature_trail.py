# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The page that says how a signature was made."""

from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from socorro.crash_id import make_crash_id
from socorro.fields import FIELDS
from socorro.signature import Draft
from tests.webapp.crashes import Crashes, walk
from webapp.crashstats import handles

pytestmark = pytest.mark.usefixtures("each_database")

ATTACK = "<script>alert(1)</script>"
SECRET = "Vf3protectedQz"


def reveal(draft: Draft) -> None:
    """Put everything that signature generation is told into the signature and a note."""
    draft.note(repr(draft.crash))
    draft.prepend(repr(draft.crash))


def stack(*functions: str, **more: Any) -> dict[str, Any]:
    dump = walk("threads")
    frames = [{"frame": n, "module": "app", "function": f} for n, f in enumerate(functions)]
    dump["threads"] = [{"frames": frames}]
    dump["crash_info"]["crashing_thread"] = 0
    return dump | more


@pytest.fixture
def lists(settings: Settings, tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "prefix_signature_re.txt").write_text("# copying\nmem(cpy|move)\n")
    (folder / "irrelevant_signature_re.txt").write_text("raise$\n")
    settings.SOCORRO = replace(settings.SOCORRO, siglists=folder)
    return folder


def shown(client: Client, crash_id: str, query: str = "") -> str:
    response = client.get(f"/report/signature/{crash_id}{query}")
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_each_frame_is_shown_with_what_it_did_and_the_line_that_decided(
    client: Client, crashes: Crashes, lists: Path
) -> None:
    crash_id = crashes.processed(
        signature="memcpy | draw", json_dump=stack("raise", "memcpy", "draw(int)", "main")
    )
    html = shown(client, crash_id)
    assert "From the stack of the crashing thread, 0" in html
    assert "irrelevant_signature_re.txt:1 <code>raise$</code>" in html
    assert "prefix_signature_re.txt:2 <code>mem(cpy|move)</code>" in html
    assert '<span class="given-label">given as</span> draw(int)' in html
    assert html.count(">kept</span>") == 2
    assert html.count(">skipped</span>") == 1
    assert "The lists of today give the same signature." in html
    assert "main" not in html.partition('<table class="trail">')[2].partition("</table>")[0]


def test_another_signature_by_the_lists_of_today_is_told_with_the_command(
    client: Client, crashes: Crashes, lists: Path
) -> None:
    crash_id = crashes.processed(signature="memcpy", json_dump=stack("memcpy", "draw"))
    html = shown(client, crash_id)
    assert '<strong class="code">memcpy | draw</strong>' in html
    assert f"socorro reprocess --ruleset regenerate_signature {crash_id}" in html


def test_the_steps_that_changed_the_signature_are_shown(
    client: Client, crashes: Crashes, lists: Path
) -> None:
    html = shown(client, crashes.processed(json_dump=stack("draw"), abort_message="no more room"))
    assert "<b>Abort message</b>" in html
    assert "Abort | no more room | draw" in html


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"java_stack_trace": "A: b\nat c"}, "the Java stack trace"),
        (
            {"java_exception": {"exception": {"values": [{"stacktrace": {"type": "A"}}]}}},
            "the Java exception",
        ),
        ({"json_dump": stack("RunWatchdog")}, "the stack of the main thread, 0"),
        ({"json_dump": None}, "the minidump does not say which one crashed"),
    ],
)
def test_the_source_of_the_signature_is_named(
    client: Client, crashes: Crashes, lists: Path, fields: dict[str, Any], source: str
) -> None:
    assert source in shown(client, crashes.processed(**fields))


def test_the_part_for_the_report_is_no_page(client: Client, crashes: Crashes) -> None:
    html = shown(client, crashes.processed(), "?part")
    assert "<table" in html
    assert "<html" not in html


def test_the_report_leads_to_it(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    html = client.get(f"/report/index/{crash_id}").content.decode()
    assert f'<a href="/report/signature/{crash_id}">How this signature was made</a>' in html


def test_hostile_names_are_escaped_and_cut(client: Client, crashes: Crashes) -> None:
    functions = [ATTACK, "x" * 500_000, "a\0b\ud800"]
    crash_id = crashes.processed(signature=ATTACK, json_dump=stack(*functions))
    response = client.get(f"/report/signature/{crash_id}")
    assert response.status_code == 200
    assert ATTACK.encode() not in response.content
    assert len(response.content) < 100_000


def test_of_thousands_of_frames_no_more_are_shown_than_were_considered(
    client: Client, crashes: Crashes, lists: Path
) -> None:
    html = shown(client, crashes.processed(json_dump=stack(*["raise"] * 3_000)))
    assert html.count(">skipped</span>") == 40
    assert "no frame is relevant, so the first one names the crash" in html


def test_what_cannot_be_signed_is_said_in_a_sentence(client: Client, crashes: Crashes) -> None:
    html = shown(client, crashes.processed(json_dump={"threads": "none"}))
    assert "No signature can be made of the stored result: threads is not a list or null." in html


def test_nothing_protected_gets_into_the_explanation_whatever_a_rule_reads(
    client: Client, trusted: Client, crashes: Crashes, settings: Settings
) -> None:
    settings.SOCORRO = replace(settings.SOCORRO, signature_rules=(f"{__name__}:reveal",))
    fields: dict[str, Any] = {name: SECRET for name, field in FIELDS.items() if field.protected}
    exception = {"exception": {"values": [{"value": SECRET, "stacktrace": {"value": SECRET}}]}}
    dump = stack("draw", mac_boot_args=SECRET)
    dump["threads"][0]["frames"][0]["registers"] = {"rax": SECRET}
    fields |= {"java_exception": exception, "json_dump": dump, "nobody_knows": SECRET}
    crash_id = crashes.processed(**fields)
    for query in ("", "?part"):
        html = shown(client, crash_id, query)
        assert "java_exception=" in html
        assert SECRET not in html
    assert SECRET in shown(trusted, crash_id)


def test_a_stranger_is_told_that_public_data_are_not_all(
    client: Client, trusted: Client, crashes: Crashes
) -> None:
    crash_id = crashes.processed(signature="another")
    assert "as far as public data tell" in shown(client, crash_id)
    assert "as far as public data tell" not in shown(trusted, crash_id)


def test_a_page_of_somebody_logged_in_is_kept_nowhere(trusted: Client, crashes: Crashes) -> None:
    response = trusted.get(f"/report/signature/{crashes.processed()}?part")
    assert response["Cache-Control"] == "private, no-store"


def test_the_prefix_of_an_id_is_taken_away(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    response = client.get(f"/report/signature/bp-{crash_id}")
    assert (response.status_code, response["Location"]) == (302, f"/report/signature/{crash_id}")


@pytest.mark.parametrize(("name", "status"), [("x", 404), ("%00", 404), ("a" * 5000, 404)])
def test_what_is_no_id_is_not_found(client: Client, name: str, status: int) -> None:
    assert client.get(f"/report/signature/{name}").status_code == status


@pytest.mark.django_db
def test_a_crash_without_result_is_left_to_its_own_page(client: Client, crashes: Crashes) -> None:
    waiting, unknown = crashes.report(), make_crash_id(datetime.now(UTC))
    page = client.get(f"/report/signature/{waiting}", follow=True)
    assert b"not processed yet" in page.content
    page = client.get(f"/report/signature/{unknown}", follow=True)
    assert page.status_code == 404


def test_a_damaged_result_is_said_to_be_damaged(
    client: Client, crashes: Crashes, tmp_path: Path
) -> None:
    crash_id = crashes.processed()
    (stored,) = (tmp_path / "data" / "crashes" / "v1" / "processed_crash").rglob(crash_id)
    stored.write_bytes(b"{broken")
    assert "is damaged and cannot be read" in shown(client, crash_id)


def test_lists_are_read_once(client: Client, crashes: Crashes, lists: Path) -> None:
    crash_id = crashes.processed()
    shown(client, crash_id)
    assert handles.signer() is handles.signer()
