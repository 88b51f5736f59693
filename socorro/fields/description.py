# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Describes the registry to people and machines."""

from typing import Any

from socorro.fields.mapping import storage_mapping
from socorro.fields.model import Annotation, Field, Provenance, SearchField, Telemetry
from socorro.fields.registry import ANNOTATIONS, FIELDS


def describe() -> list[dict[str, Any]]:
    """Return every field of a processed crash as plain data, sorted by name."""
    return [_field(FIELDS[name]) for name in sorted(FIELDS)]


def describe_annotations() -> list[dict[str, Any]]:
    """Return every known annotation of a raw crash as plain data, sorted by name.

    `field` is the field of a processed crash that is copied from it, None for none.
    """
    copied = {field.annotation: name for name, field in FIELDS.items() if field.annotation}
    return [_annotation(ANNOTATIONS[name], copied.get(name)) for name in sorted(ANNOTATIONS)]


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "nullable": field.nullable,
        "always": field.always,
        "permission": _permission(field.protected),
        "description": field.description,
        "annotation": field.annotation,
        "default": field.default,
        "deprecated": field.deprecated,
        "protected_parts": [path for path, shape in field.shape.paths() if shape.protected],
        "telemetry": _telemetry(field.telemetry),
        "search": [_search(search) for search in field.searches],
        **_provenance(field.provenance),
    }


def _annotation(annotation: Annotation, field: str | None) -> dict[str, Any]:
    return {
        "name": annotation.name,
        "type": annotation.type,
        "nullable": annotation.nullable,
        "permission": _permission(annotation.protected),
        "description": annotation.description,
        "field": field,
        "deprecated": annotation.deprecated,
        **_provenance(annotation.provenance),
    }


def _permission(protected: bool) -> str:
    return "protected" if protected else "public"


def _provenance(provenance: Provenance) -> dict[str, list[str]]:
    return {
        "products": list(provenance.products),
        "bugs": list(provenance.bugs),
        "data_reviews": list(provenance.data_reviews),
        "examples": list(provenance.examples),
    }


def _telemetry(telemetry: Telemetry | None) -> dict[str, Any] | None:
    if telemetry is None:
        return None
    return {
        "name": telemetry.name,
        "to_string": telemetry.to_string,
        "paths": list(telemetry.paths),
    }


def _search(search: SearchField) -> dict[str, Any]:
    return {
        "name": search.name,
        "path": search.path,
        "query_type": search.query_type,
        "storage": search.storage,
        "storage_mapping": storage_mapping(search),
        "permission": _permission(search.protected),
        "has_full_version": search.has_full,
        "many": search.many,
        "exposed": search.exposed,
        "returned": search.returned,
        "choices": list(search.choices),
    }
