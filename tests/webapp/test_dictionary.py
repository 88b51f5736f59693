# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The data dictionary."""

from html import unescape

import pytest
from django.test import Client

from socorro.fields import ANNOTATIONS, FIELDS, Shape
from socorro.search import SearchUnavailable
from tests.webapp.crashes import Crashes
from webapp.crashstats import dictionary, dictionary_values, handles

pytestmark = pytest.mark.usefixtures("each_database")

INDEX = "/documentation/datadictionary/"
ATTACK = "<script>alert(1)</script>"
SECRET = "Vf3protectedQz"


def shown(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return unescape(response.content.decode())


def page(dataset: str, path: str) -> str:
    return f"{INDEX}dataset/{dataset}/field/{path}"


def every_path(shape: Shape) -> list[str]:
    paths = []
    for name, part in [*shape.parts.items(), ("*", shape.others), ("[]", shape.item)]:
        if part is not None:
            paths += [name, *(f"{name}/{path}" for path in every_path(part))]
    return paths


def test_every_annotation_and_field_is_listed_with_its_page(client: Client) -> None:
    html = shown(client, INDEX)
    assert f"{len(ANNOTATIONS) + len(FIELDS)} entries" in html
    for name in ANNOTATIONS:
        assert f'href="{page("annotation", name)}"' in html
    for name in FIELDS:
        assert f'href="{page("processed", name)}"' in html


def test_every_page_leads_to_the_dictionary(client: Client) -> None:
    assert f'<a href="{INDEX}">Data dictionary</a>' in shown(client, "/login/")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=android+BOARD", {"Android_Board", "android_board"}),
        ("q=platform_pretty", {"os_pretty_version"}),
        ("q=android+board&dataset=annotation", {"Android_Board"}),
        ("q=phc&permission=public", set()),
        ("q=url&dataset=processed&permission=protected", {"url"}),
        ("q=" + "%00" * 5 + "android+board&dataset=made-up", {"Android_Board", "android_board"}),
    ],
)
def test_the_list_is_filtered_by_words_data_set_and_permission(
    client: Client, query: str, names: set[str]
) -> None:
    html = shown(client, f"{INDEX}?{query}")
    listed = {row.name for row in dictionary.rows() if f'/field/{row.name}"' in html}
    assert listed >= names
    assert listed <= names | {"remote_type"}
    assert ("No entry has these words" in html) == (not names)


def test_what_was_asked_stays_in_the_form_and_is_harmless(client: Client) -> None:
    response = client.get(INDEX, {"q": ATTACK, "permission": "protected", "dataset": ATTACK})
    html = response.content.decode()
    assert "&lt;script&gt;" in html
    assert ATTACK not in html
    assert '<option value="protected" selected>' in html


def test_a_field_has_type_permission_source_export_and_search(client: Client) -> None:
    html = shown(client, page("processed", "build"))
    assert FIELDS["build"].description in html
    assert f'href="{page("annotation", "BuildID")}">BuildID</a>' in html
    assert '<dd class="code">build_id</dd>' in html
    assert '<a class="code" href="/search/?build_id=!__null__">build_id</a>' in html
    assert ">public</span>" in html


def test_an_annotation_has_products_data_reviews_and_its_field(client: Client) -> None:
    html = shown(client, page("annotation", "Android_Board"))
    assert "Fenix, Focus, ReferenceBrowser" in html
    assert 'href="https://bugzilla.mozilla.org/show_bug.cgi?id=1564483#c4"' in html
    assert f'href="{page("processed", "android_board")}">android_board</a>' in html


def test_a_copied_field_with_a_default_says_it(client: Client) -> None:
    html = shown(client, page("processed", "marionette"))
    assert 'Without the annotation</dt><dd class="code">false</dd>' in html


def test_a_protected_and_deprecated_field_says_so(client: Client) -> None:
    html = shown(client, page("processed", "submitted_from_infobar"))
    assert "people with the permission to see protected data" in html
    assert ">deprecated</span>" in html


def test_parts_are_reached_one_below_the_other(client: Client) -> None:
    html = shown(client, page("processed", "json_dump"))
    assert f'href="{page("processed", "json_dump/threads")}">threads</a>' in html
    html = shown(client, page("processed", "json_dump/threads/[]/frames/[]/registers"))
    assert "Part of a field of a processed crash" in html
    assert f'href="{page("processed", "json_dump/threads/%5B%5D/frames")}">frames</a>' in html
    assert "object or null" in html
    assert "people with the permission to see protected data" in html
    assert "any other name" in html


def test_what_is_below_a_protected_part_is_protected(client: Client) -> None:
    html = shown(client, page("processed", "json_dump/threads/[]/frames/[]/registers/*"))
    assert "people with the permission to see protected data" in html


def test_every_part_of_every_field_has_an_entry() -> None:
    for name, field in FIELDS.items():
        for path in every_path(field.shape):
            entry = dictionary.entry("processed", f"{name}/{path}")
            assert entry.name == path.rpartition("/")[2]


def test_a_part_that_is_searched_says_by_which_name(client: Client) -> None:
    html = shown(client, page("processed", "memory_measures/explicit"))
    assert "memory_explicit</a>" in html
    assert "memory_images" not in html


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (page("processed", "Build"), "Field not found"),
        (page("annotation", "build"), "Field not found"),
        (page("annotation", "BuildID/more"), "Field not found"),
        (page("processed", "json_dump/threads/0"), "Field not found"),
        (page("processed", "build/"), "Field not found"),
        (page("telemetry", "build"), "Data set not found"),
        (page("processed", "%3Cscript%3E"), "Field not found"),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(client: Client, path: str, said: str) -> None:
    assert f"<h1>{said}</h1>" in shown(client, path, 404)


def test_values_and_products_of_the_last_days_are_shown(client: Client, crashes: Crashes) -> None:
    ids = [crashes.processed(product="Alpha", version="1.5", hang=ATTACK) for _ in range(2)]
    ids.append(crashes.processed(product="Beta", version="2.5"))
    crashes.index(*ids)
    html = shown(client, page("processed", "version"))
    assert "3 crashes have it" in html
    assert 'href="/search/?version=%3D1.5"' in html
    assert 'href="/search/?version=%21__null__&product=%3DBeta"' in html
    response = client.get(page("processed", "hang"))
    assert "1 crash has it" not in response.content.decode()
    assert "2 crashes have it" in response.content.decode()
    assert ATTACK not in response.content.decode()


def test_a_value_leads_to_the_crashes_that_have_it(client: Client, crashes: Crashes) -> None:
    with_value = crashes.processed(safe_mode=True, uptime=17, signature="a; b")
    crashes.index(with_value, crashes.processed(safe_mode=False, uptime=18, signature="c"))
    for name, term in (("safe_mode", "1"), ("uptime", "17"), ("signature", "a; b")):
        (search,) = FIELDS[name].searches
        used = dictionary_values.usage(search, may_see_protected=False)
        assert used.total == 2
        (url,) = {value.url for value in used.values if value.term in (term, "true")}
        html = shown(client, url)
        assert f"/report/index/{with_value}" in html
        assert "1 crash" in html


def test_values_of_a_protected_field_are_for_those_who_may_see_them(
    client: Client, trusted: Client, crashes: Crashes
) -> None:
    crashes.index(crashes.processed(url=f"https://{SECRET}.example.com/"))
    assert SECRET not in shown(client, page("processed", "url"))
    assert SECRET not in shown(client, page("annotation", "URL"))
    response = trusted.get(page("processed", "url"))
    assert SECRET in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_without_crashes_the_page_says_that_none_has_it(client: Client) -> None:
    assert "No crash of the last 7 days has it" in shown(client, page("processed", "signature"))


def test_without_the_index_the_page_stays(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise SearchUnavailable("away")

    monkeypatch.setattr(handles, "index", down)
    html = shown(client, page("processed", "signature"))
    assert "The search index does not answer" in html
    assert FIELDS["signature"].description in html


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post(INDEX).status_code == 405
    assert client.post(page("processed", "build")).status_code == 405
