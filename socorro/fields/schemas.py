# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""JSON Schemas of raw crash, processed crash and telemetry export, and the search mapping.

All are made from the registry. They are kept as files in `schemas/` beside this module, for
whoever reads crashes without this program; a test compares the files with what is made here.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from socorro.fields.exports import STRING, schema_shape
from socorro.fields.mapping import search_mapping
from socorro.fields.model import Annotation, Field, Provenance
from socorro.fields.registry import ANNOTATIONS, FIELDS, FORMER_EXPORTS
from socorro.fields.shape import Shape

FOLDER = Path(__file__).parent / "schemas"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def raw_crash_schema() -> Schema:
    """Return the schema of a raw crash.

    Clients send texts; in a JSON payload the value of a typed field may have the field's own type
    instead. Annotations that are not in it are allowed: they are kept and protected.
    """
    copied = {field.annotation: field for field in FIELDS.values() if field.annotation}
    return {
        "$schema": _DIALECT,
        "title": "Raw crash",
        "description": "Annotations as a client sent them, and what the collector added.",
        "type": "object",
        "properties": {
            name: _annotation(ANNOTATIONS[name], copied.get(name)) for name in sorted(ANNOTATIONS)
        },
        "additionalProperties": True,
    }


def processed_crash_schema() -> Schema:
    """Return the schema of a processed crash, protected fields included.

    Parts of objects that are not in it are allowed: the stackwalker of tomorrow says more.
    """
    return {
        "$schema": _DIALECT,
        "title": "Processed crash",
        "description": "What the processor made of a raw crash.",
        "type": "object",
        "properties": {name: _field(FIELDS[name]) for name in sorted(FIELDS)},
        "required": sorted(name for name, field in FIELDS.items() if field.always),
        "additionalProperties": False,
    }


def telemetry_crash_schema() -> Schema:
    """Return the schema of the telemetry export; nothing that it once had is ever taken away.

    `socorroConvertTo` marks what is text in the export and something else in the processed crash.
    """
    properties: dict[str, Schema] = {}
    for field in FIELDS.values():
        if field.telemetry is not None:
            shape = schema_shape(field.shape, field.telemetry)
            properties[field.telemetry.name] = _exported(
                shape, field.description, field.telemetry.to_string
            )
    for former in FORMER_EXPORTS.values():
        shape = STRING if former.to_string else former.shape
        text = f"{former.description} Nothing writes it any more."
        properties[former.name] = _exported(shape, text, former.to_string) | {"deprecated": True}
    return {
        "$schema": _DIALECT,
        "$target_version": 2,
        "title": "Telemetry crash",
        "description": "The publicly safe part of a processed crash, as it is exported.",
        "type": "object",
        "properties": {name: properties[name] for name in sorted(properties)},
        "additionalProperties": False,
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "processed": processed_crash_schema,
    "raw": raw_crash_schema,
    "search": search_mapping,
    "telemetry": telemetry_crash_schema,
}
_FILE_NAMES: Mapping[str, str] = {
    "processed": "processed_crash.json",
    "raw": "raw_crash.json",
    "search": "search_mapping.json",
    "telemetry": "telemetry_socorro_crash.json",
}


def schema_text(name: str) -> str:
    """Return a schema of SCHEMAS as it stands in its file."""
    return json.dumps(SCHEMAS[name](), indent=1, ensure_ascii=False) + "\n"


def schema_file(name: str, folder: Path = FOLDER) -> Path:
    """Return the path of the file of a schema of SCHEMAS."""
    return folder / _FILE_NAMES[name]


def write_schemas(folder: Path = FOLDER) -> list[Path]:
    """Write the file of every schema and return their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: schema_file(name, folder) for name in SCHEMAS}
    for name, path in paths.items():
        path.write_text(schema_text(name), encoding="utf-8")
    return list(paths.values())


def _annotation(annotation: Annotation, field: Field | None) -> Schema:
    types = [annotation.type]
    if field is not None and field.type not in types:
        types.append(field.type)
    return _described(annotation) | _types(tuple(types), annotation.nullable)


def _field(field: Field) -> Schema:
    schema = _described(field) | _shape(field.shape)
    if field.annotation is not None:
        schema["source_annotation"] = field.annotation
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _described(entry: Annotation | Field) -> Schema:
    schema: Schema = {
        "description": entry.description,
        "permissions": ["protected" if entry.protected else "public"],
        **_provenance(entry.provenance),
    }
    return schema | {"deprecated": True} if entry.deprecated else schema


def _provenance(provenance: Provenance) -> Schema:
    known = {
        "products": list(provenance.products),
        "bugs": list(provenance.bugs),
        "data_reviews": list(provenance.data_reviews),
        "examples": list(provenance.examples),
    }
    return {name: values for name, values in known.items() if values}


def _exported(shape: Shape, description: str, to_string: bool) -> Schema:
    convert = {"socorroConvertTo": "string"} if to_string else {}
    return {"description": description, **_shape(shape), **convert}


def _shape(shape: Shape) -> Schema:
    """Return the schema of a value; a protected part says so, and that goes for all within it."""
    schema = _types(shape.types, shape.nullable)
    if shape.protected:
        schema["permissions"] = ["protected"]
    if shape.parts:
        schema["properties"] = {name: _shape(part) for name, part in sorted(shape.parts.items())}
    if shape.others is not None:
        schema["additionalProperties"] = _shape(shape.others)
    if shape.item is not None:
        schema["items"] = _shape(shape.item)
    return schema


def _types(types: tuple[str, ...], nullable: bool) -> Schema:
    if "any" in types:
        return {}
    names = [*types, "null"] if nullable else list(types)
    return {"type": names[0] if len(names) == 1 else names}
