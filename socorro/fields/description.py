# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Describes the registry to people and machines."""

from typing import Any

from socorro.fields.model import Field, SearchField, Telemetry
from socorro.fields.registry import FIELDS


def describe() -> list[dict[str, Any]]:
    """Return every field of a processed crash as plain data, sorted by name."""
    return [_field(FIELDS[name]) for name in sorted(FIELDS)]


def _field(field: Field) -> dict[str, Any]:
    searches = [*([field.search] if field.search else []), *field.search_within]
    return {
        "name": field.name,
        "type": field.type,
        "nullable": field.nullable,
        "permission": "protected" if field.protected else "public",
        "description": field.description,
        "annotation": field.annotation,
        "default": field.default,
        "deprecated": field.deprecated,
        "protected_parts": [path for path, shape in field.shape.paths() if shape.protected],
        "telemetry": _telemetry(field.telemetry),
        "search": [_search(search) for search in searches],
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
        "permission": "protected" if search.protected else "public",
        "has_full_version": search.has_full,
        "many": search.many,
        "exposed": search.exposed,
        "returned": search.returned,
        "choices": list(search.choices),
    }
