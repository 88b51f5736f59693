# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The form that fields have in the telemetry export.

Scalars may be null there, objects and arrays may not. The export's schema must never lose a name,
because tables are made from it: names that nothing writes any more are kept as former ones.
"""

from collections.abc import Mapping
from dataclasses import replace

from socorro.fields.model import Telemetry
from socorro.fields.shape import Shape

STRING = Shape(("string",), nullable=True)


def exported_shape(shape: Shape, telemetry: Telemetry) -> Shape:
    """Return what a field of this shape is in the export; nothing protected is in it."""
    if telemetry.to_string:
        return STRING
    return _exported(shape, telemetry, "")


def schema_shape(shape: Shape, telemetry: Telemetry) -> Shape:
    """Return the exported shape with the parts that nothing writes any more."""
    exported = exported_shape(shape, telemetry)
    for path, part in telemetry.former.items():
        exported = _with_part(exported, path.split("."), part)
    return exported


def _exported(shape: Shape, telemetry: Telemetry, path: str) -> Shape:
    """Return the chosen parts of a shape; array items have the path of their array."""
    if shape.item is not None:
        item = _exported(shape.item, telemetry, path)
        return Shape(shape.types, item=replace(item, nullable=False))
    if "object" in shape.types:
        prefix = f"{path}." if path else ""
        parts = {
            name: _exported(part, telemetry, f"{prefix}{name}")
            for name, part in shape.parts.items()
            if not part.protected and _is_chosen(f"{prefix}{name}", telemetry.paths)
        }
        return Shape(shape.types, parts=parts)
    return Shape(shape.types, nullable=path not in telemetry.not_null)


def _is_chosen(path: str, paths: tuple[str, ...]) -> bool:
    """Say whether a part is exported, or leads to one that is."""
    return not paths or any(chosen == path or chosen.startswith(f"{path}.") for chosen in paths)


def _with_part(shape: Shape, path: list[str], part: Shape) -> Shape:
    if shape.item is not None:
        return replace(shape, item=_with_part(shape.item, path, part))
    name, *rest = path
    known: Mapping[str, Shape] = shape.parts
    inner = _with_part(known.get(name, Shape(("object",))), rest, part) if rest else part
    return replace(shape, parts={**known, name: inner})
