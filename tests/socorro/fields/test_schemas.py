# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The schemas that are made from the registry, and the files that hold them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from socorro.fields import ANNOTATIONS, FIELDS, SEARCH_FIELDS, Shape, telemetry_document
from socorro.fields.exports import schema_shape
from socorro.fields.mapping import storage_mapping
from socorro.fields.model import Telemetry
from socorro.fields.schemas import (
    SCHEMAS,
    processed_crash_schema,
    raw_crash_schema,
    schema_file,
    schema_text,
    telemetry_crash_schema,
    write_schemas,
)

FACTS = json.loads((Path(__file__).parent / "facts.json").read_text())
TELEMETRY = Draft202012Validator(telemetry_crash_schema())
PROCESSED = Draft202012Validator(processed_crash_schema())
RAW = Draft202012Validator(raw_crash_schema())
# Parts of frames that the facts leave out; arrays of texts say nothing of their items there.
NOT_IN_FACTS = (".frames.[].", "addons.[]", "additional_minidumps.[]")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)


def some_of(shapes: Mapping[str, Shape]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with a few of the parts, since all of them at once would be too large."""
    names = st.sets(st.sampled_from(sorted(shapes)), max_size=4)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: values_of(shapes[name]) for name in chosen})
    )


def values_of(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape, and in each place sometimes anything else."""
    if shape.item is not None:
        return st.lists(values_of(shape.item), max_size=2) | json_values
    return some_of(shape.parts) | json_values if shape.parts else json_values


crashes = some_of({name: field.shape for name, field in FIELDS.items() if field.telemetry})


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every dotted path of a schema, `[]` for the items of an array."""
    inner = dict(schema.get("properties", {}))
    if "items" in schema:
        inner["[]"] = schema["items"]
    for name, part in inner.items():
        yield f"{path}{name}", part
        yield from nodes(part, f"{path}{name}.")


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_file_of_a_schema_is_what_the_registry_says(name: str) -> None:
    assert schema_file(name).read_text() == schema_text(name), (
        "the registry has changed: `socorro fields write-schemas` writes the files anew"
    )


def test_the_schemas_are_written_as_files(tmp_path: Path) -> None:
    paths = write_schemas(tmp_path / "new")
    assert sorted(path.name for path in paths) == [
        "processed_crash.json",
        "raw_crash.json",
        "search_mapping.json",
        "telemetry_socorro_crash.json",
    ]
    assert all(json.loads(path.read_text()) for path in paths)


@pytest.mark.parametrize("name", ["processed", "raw", "telemetry"])
def test_a_schema_is_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name]())


def test_the_telemetry_schema_has_every_name_and_type_that_tables_were_made_from() -> None:
    made = {}
    for path, node in nodes(telemetry_crash_schema()):
        types = node["type"] if isinstance(node["type"], list) else [node["type"]]
        made[path] = "|".join(types) + (" as text" if "socorroConvertTo" in node else "")
    in_facts = {
        path: kind for path, kind in made.items() if not any(part in path for part in NOT_IN_FACTS)
    }
    assert in_facts == FACTS["telemetry"]
    assert len(in_facts) == 157


def test_a_frame_in_the_telemetry_schema_says_where_it_is_and_nothing_else() -> None:
    schema = telemetry_crash_schema()["properties"]["json_dump"]["properties"]
    frame = schema["threads"]["items"]["properties"]["frames"]["items"]
    assert frame == schema["crashing_thread"]["properties"]["frames"]["items"]
    assert {name: node["type"] for name, node in frame["properties"].items()} == {
        "file": ["string", "null"],
        "frame": ["integer", "null"],
        "function": ["string", "null"],
        "function_offset": ["string", "null"],
        "line": ["integer", "null"],
        "module": ["string", "null"],
        "module_offset": ["string", "null"],
        "offset": ["string", "null"],
    }


@given(crashes)
def test_whatever_a_crash_holds_its_export_fits_the_schema(crash: dict[str, Any]) -> None:
    TELEMETRY.validate(telemetry_document(crash))


@given(crashes)
def test_a_part_of_a_wrong_type_costs_nothing_else(crash: dict[str, Any]) -> None:
    good = {"signature": "main", "uptime": 3, "safe_mode": True}
    exported = telemetry_document(crash | good)
    assert exported["signature"] == "main"
    assert exported["uptime"] == 3
    assert exported["safe_mode"] == "1"


def test_former_parts_are_in_the_schema_also_in_objects_that_are_gone() -> None:
    shape = Shape(("object",), parts={"here": Shape(("string",))})
    text = Shape(("string",), nullable=True)
    telemetry = Telemetry("a", former={"gone.deep": text, "was": text})
    made = schema_shape(shape, telemetry)
    assert made.parts.keys() == {"gone", "here", "was"}
    assert made.parts["gone"].parts == {"deep": text}


def test_every_field_and_annotation_has_its_permission() -> None:
    for schema, entries in (
        (processed_crash_schema(), FIELDS),
        (raw_crash_schema(), ANNOTATIONS),
    ):
        permissions = {
            name: node["permissions"] == ["protected"]
            for name, node in schema["properties"].items()
        }
        assert permissions == {name: entry.protected for name, entry in entries.items()}


def test_protected_parts_say_so_in_the_processed_schema() -> None:
    dump = processed_crash_schema()["properties"]["json_dump"]["properties"]
    frame = dump["threads"]["items"]["properties"]["frames"]["items"]["properties"]
    assert frame["registers"]["permissions"] == ["protected"]
    assert "permissions" not in frame["function"]


def test_a_processed_crash_with_a_field_that_nobody_registered_is_invalid() -> None:
    always = {
        "uuid": "x",
        "crash_id": "x",
        "signature": "s",
        "success": True,
        "processor_notes": "",
        "processor_history": [],
        "started_datetime": "2026-11-23T00:00:00+00:00",
        "completed_datetime": "2026-11-23T00:00:00+00:00",
    }
    assert PROCESSED.is_valid(always)
    assert not PROCESSED.is_valid(always | {"made_up": 1})
    assert not PROCESSED.is_valid(always | {"uptime": True})
    assert not PROCESSED.is_valid({**always, "signature": None})
    assert not PROCESSED.is_valid({key: always[key] for key in always if key != "uuid"})


def test_a_raw_crash_has_texts_or_the_types_of_its_fields_and_may_have_more() -> None:
    assert RAW.is_valid({"InstallTime": "17", "Unheard-Of": {"a": [1]}})
    assert RAW.is_valid({"InstallTime": 17, "TelemetryEnvironment": {"build": {}}})
    assert RAW.is_valid({"ReleaseChannel": None})
    assert not RAW.is_valid({"InstallTime": [17]})
    assert not RAW.is_valid({"ProductName": None})


def test_a_data_review_and_a_product_are_in_the_schema_where_known() -> None:
    node = raw_crash_schema()["properties"]["Android_Board"]
    assert node["products"] == ["Fenix", "Focus", "ReferenceBrowser"]
    assert node["data_reviews"] == ["https://bugzilla.mozilla.org/show_bug.cgi?id=1564483#c4"]


def test_each_search_field_is_mapped_as_clients_of_the_index_know_it() -> None:
    mapped = {
        name: storage_mapping(search) for name, search in SEARCH_FIELDS.items() if search.exposed
    }
    assert mapped == FACTS["storage_mappings"]
