# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The registry against the facts that clients and tools rely on (`facts.json`)."""

import json
from pathlib import Path

import pytest

from socorro.fields import ANNOTATIONS, FIELDS, SEARCH_FIELDS, Shape, describe

FACTS = json.loads((Path(__file__).parent / "facts.json").read_text())
# Fields that older clients do not know, and parts of fields that are ours.
OURS: frozenset[str] = frozenset()
OUR_PARTS = frozenset(
    {
        "json_dump.modules.[].symbol_status",
        "upload_file_minidump_browser.json_dump.modules.[].symbol_status",
    }
)


def paths(shape: Shape, protected: bool) -> dict[str, bool]:
    """Return every path below a shape with whether it is protected, by itself or from above."""
    found = {}
    for name, part in [*shape.parts.items(), ("*", shape.others), ("[]", shape.item)]:
        if part is not None:
            found[name] = protected or part.protected
            below = paths(part, found[name])
            found |= {f"{name}.{path}": value for path, value in below.items()}
    return found


def test_every_field_of_a_processed_crash_is_registered() -> None:
    registered = {
        name: [field.type, "protected" if field.protected else "public", field.annotation]
        for name, field in FIELDS.items()
    }
    assert {name: registered[name] for name in registered.keys() - OURS} == FACTS["fields"]
    assert registered.keys() >= OURS
    assert len(FACTS["fields"]) == 166


def test_every_annotation_is_registered() -> None:
    registered = {
        name: "protected" if annotation.protected else "public"
        for name, annotation in ANNOTATIONS.items()
    }
    assert registered == FACTS["annotations"]
    assert len(registered) == 123


def test_every_super_search_field_is_registered() -> None:
    registered = {
        search.name: [
            search.validation,
            "text" if search.storage == "semicolon" else search.storage,
            search.has_full,
            "protected" if search.protected else "public",
            search.path,
        ]
        for search in SEARCH_FIELDS.values()
        if search.exposed and search.path.partition(".")[0] not in OURS
    }
    assert registered == FACTS["search"]
    assert len(registered) == 156


def test_the_status_of_the_stackwalker_is_searchable_for_the_system_alone() -> None:
    hidden = [search.name for search in SEARCH_FIELDS.values() if not search.exposed]
    assert hidden == ["mdsw_status_string"]


def test_the_protected_parts_of_public_fields_are_registered() -> None:
    protected, public = set(), 0
    for name, field in FIELDS.items():
        for path, is_protected in paths(field.shape, field.protected).items():
            if f"{name}.{path}" in OUR_PARTS or name in OURS:
                continue
            public += not is_protected
            if is_protected and not field.protected and not path.endswith("*"):
                protected.add(f"{name}.{path}")
    assert sorted(protected) == FACTS["protected_parts"]
    assert public == FACTS["public_parts"]


def test_no_protected_field_is_exported() -> None:
    assert not [name for name, field in FIELDS.items() if field.telemetry and field.protected]


def test_a_search_field_of_a_protected_field_is_protected() -> None:
    for field in FIELDS.values():
        for search in filter(None, (field.search, *field.search_within)):
            assert search.protected >= field.protected


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_description_is_a_sentence(name: str) -> None:
    assert FIELDS[name].description.endswith(".")
    assert len(FIELDS[name].description) > 5


def test_the_registry_describes_itself_as_json() -> None:
    described = json.loads(json.dumps(describe()))
    assert [entry["name"] for entry in described] == sorted(FIELDS)
    by_name = {entry["name"]: entry for entry in described}
    assert by_name["url"]["permission"] == "protected"
    assert by_name["build"]["telemetry"] == {"name": "build_id", "to_string": False, "paths": []}
    assert by_name["os_name"]["search"][0]["name"] == "platform"
    assert "threads.[].frames.[].registers" in by_name["json_dump"]["protected_parts"]
