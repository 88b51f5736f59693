# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The report page of a processed crash."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.webapp.crashes import Crashes, walk
from webapp.crashstats.links import search_url


def page(client: Client, crash_id: str) -> str:
    response = client.get(f"/report/index/{crash_id}")
    assert response.status_code == 200
    return response.content.decode()


def plain(html: str) -> str:
    """Return a page without the marks where a line may break."""
    return html.replace("<wbr>", "")


def test_the_crashing_stack_shows_functions_with_file_and_line(
    client: Client, crashes: Crashes
) -> None:
    html = plain(page(client, crashes.processed()))
    assert "acme::jobs::Worker::StoreResult(int*, int)" in html
    assert "/build/demo/threads.cpp:23" in html
    assert "Crashing thread" in html
    assert "Worker #2" in html


def test_inlined_functions_stand_above_the_frame_that_they_are_part_of(
    client: Client, crashes: Crashes
) -> None:
    html = plain(page(client, crashes.processed(walk_of="inlined", signature="PutPixel")))
    rows = html[html.index('id="crashing-stack"') :]
    order = [rows.index(name) for name in ("PutPixel", "FillRow", "acme::codec::Decode")]
    assert order == sorted(order)
    assert '<tr class="inlined"><td class="frame">0</td>' in rows
    assert "/build/demo/inlined.cpp:6" in rows


def test_a_frame_without_symbols_is_marked_and_names_its_module_and_offset(
    client: Client, crashes: Crashes
) -> None:
    html = page(client, crashes.processed(walk_of="windows"))
    assert "kernel32.dll + 0x16fd6" in html
    assert "no symbols" in html
    assert "1 module has no symbols" in html
    assert "BCE8785C57B44245A669896B6A19B9542" in html


def test_every_other_thread_is_folded_with_its_name_and_frame_count(
    client: Client, crashes: Crashes
) -> None:
    html = page(client, crashes.processed())
    assert html.count('<details class="thread"') == 4
    assert "Worker #3" in html
    assert "7 frames" in html


def test_the_signature_is_a_link_to_the_search_for_exactly_it(
    client: Client, crashes: Crashes
) -> None:
    html = page(client, crashes.processed())
    assert 'href="/search/?signature=%3Dacme%3A%3Ajobs%3A%3AWorker%3A%3AStoreResult"' in html


def test_the_links_of_an_old_crash_reach_back_to_its_day(client: Client, crashes: Crashes) -> None:
    html = page(client, crashes.processed(age=timedelta(days=30)))
    assert "Worker%3A%3AStoreResult&amp;date=%3E%3D20" in html


def test_the_summary_tells_reason_address_system_and_times(
    client: Client, crashes: Crashes
) -> None:
    html = page(
        client,
        crashes.processed(
            uptime=3725,
            install_age=90_000,
            client_crash_date="2026-11-22T18:41:52+00:00",
            os_pretty_version="Debian GNU/Linux 12",
            process_type="parent",
            cpu_count=2,
        ),
    )
    for text in (
        "SIGSEGV / SEGV_MAPERR",
        "0x0000000000001234",
        "Debian GNU/Linux 12",
        "amd64, 2 cores",
        "1 h 2 min",
        "1 d 1 h",
        '<time datetime="2026-11-22T18:41:52Z">2026-11-22 18:41:52 UTC</time>',
        "parent",
    ):
        assert text in html


def test_modules_say_whether_their_symbols_were_found(client: Client, crashes: Crashes) -> None:
    html = page(client, crashes.processed(walk_of="windows"))
    assert '<span class="badge found">found</span>' in html
    assert '<span class="badge missing">missing</span>' in html
    assert "test_app.pdb" in html


def test_missing_symbols_say_why_they_are_missing(client: Client, crashes: Crashes) -> None:
    dump = walk("windows")
    first, second = dump["modules"][:2]
    first |= {"missing_symbols": True, "symbol_status": "server_error"}
    second |= {"missing_symbols": True, "symbol_status": "<b>hostile"}
    html = page(client, crashes.processed(json_dump=dump))
    assert html.count("the symbol server failed") == 2
    assert "<b>hostile" not in html


def test_a_damaged_symbol_file_is_told_apart_from_a_missing_one(
    client: Client, crashes: Crashes
) -> None:
    dump = walk("threads")
    dump["modules"][0]["corrupt_symbols"] = True
    html = page(client, crashes.processed(json_dump=dump))
    assert '<span class="badge damaged">damaged</span>' in html


def test_annotations_and_notes_are_listed_without_what_the_collector_added(
    client: Client, crashes: Crashes
) -> None:
    html = page(client, crashes.processed(annotations={"ReleaseChannel": "nightly-special"}))
    assert "nightly-special" in html
    assert "a note of the processor" in html
    assert "submitted_timestamp" not in html


def test_the_json_of_the_crash_is_linked(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed()
    html = page(client, crash_id)
    assert f'href="/api/ProcessedCrash/?crash_id={crash_id}"' in html
    assert f'href="/api/RawCrash/?crash_id={crash_id}"' in html


def test_a_crash_without_minidump_still_has_a_page(client: Client, crashes: Crashes) -> None:
    crash_id = crashes.processed(json_dump=None, crashing_thread=None, signature="EMPTY: no frames")
    assert "EMPTY: no frames" in page(client, crash_id)


def test_a_failed_stack_walk_is_named(client: Client, crashes: Crashes) -> None:
    html = page(client, crashes.processed(json_dump={}, mdsw_status_string="MissingThreadList"))
    assert "could not be read in full" in html
    assert "MissingThreadList" in html


def test_a_crash_that_was_not_processed_in_full_says_so(client: Client, crashes: Crashes) -> None:
    note = "gave up: processing ended 5 times without a result"
    html = page(client, crashes.processed(success=False, processor_notes=note))
    assert "could not be processed in full" in html
    assert note in html
    assert "could not be processed in full" not in page(client, crashes.processed(success=True))


def test_a_truncated_stack_says_what_is_left_out(client: Client, crashes: Crashes) -> None:
    dump = walk("threads")
    marker = {"truncated": {"msg": "1234 frames truncated"}}
    for thread in (dump["threads"][0], dump["threads"][3]):
        thread["frames"].insert(2, marker)
    html = page(client, crashes.processed(json_dump=dump))
    assert html.count('<td colspan="5">1234 frames truncated</td>') == 2


def test_all_stacks_are_shown_when_no_thread_is_known_to_have_crashed(
    client: Client, crashes: Crashes
) -> None:
    dump = walk("threads")
    del dump["crashing_thread"]
    html = page(client, crashes.processed(json_dump=dump, crashing_thread=None))
    assert "does not say which thread crashed" in html
    assert html.count('<details class="thread"') == 5


@pytest.mark.parametrize("number", [99, -1, 2**70, "3", True, 1.5])
def test_a_crashing_thread_that_does_not_exist_is_no_error(
    client: Client, crashes: Crashes, number: object
) -> None:
    html = plain(page(client, crashes.processed(crashing_thread=number)))
    assert "acme::jobs::Worker::StoreResult(int*, int)" in html


def test_registers_are_shown_to_those_who_may_see_them(
    client: Client, trusted: Client, crashes: Crashes
) -> None:
    crash_id = crashes.processed()
    html = page(trusted, crash_id)
    assert '<dt>rdi</dt><dd class="code">0x0000000000001234</dd>' in html
    assert "<dt>rdi</dt>" not in page(client, crash_id)


def test_every_text_of_a_crash_is_escaped(client: Client, crashes: Crashes) -> None:
    attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    dump = walk("inlined")
    frame = dump["threads"][0]["frames"][0]
    frame |= {"function": attack, "file": attack, "module": attack, "trust": attack}
    frame["inlines"][0] |= {"function": attack, "file": attack}
    dump["threads"][0]["thread_name"] = attack
    dump["modules"][0] |= {"filename": attack, "version": attack, "debug_file": attack}
    names = ("signature", "product", "version", "reason", "os_name", "build", "processor_notes")
    annotations = {"ProductName": attack, attack: attack}
    fields = dict.fromkeys(names, attack)
    html = page(client, crashes.processed(json_dump=dump, annotations=annotations, **fields))
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_search_addresses_hold_what_was_asked_and_nothing_else() -> None:
    assert search_url([]) == "/search/"
    assert search_url([("signature", "=a&b=c#d")]) == "/search/?signature=%3Da%26b%3Dc%23d"


def test_a_page_without_login_asks_the_database_nothing(client: Client, crashes: Crashes) -> None:
    # pytest-django lets no test without the mark reach the database.
    assert client.get(f"/report/index/{crashes.processed()}").status_code == 200
