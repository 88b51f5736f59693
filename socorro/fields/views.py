# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What others may see of a crash: the public views and the telemetry export.

The registry is compiled once into a tree of functions, each of which copies one kind of value and
leaves out what it does not know. A view costs one walk over the parts that it keeps.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from socorro.fields.model import Field
from socorro.fields.registry import ANNOTATIONS, FIELDS
from socorro.fields.shape import Shape


class _Left:
    """The type of LEFT_OUT."""


LEFT_OUT: Final = _Left()
Copy = Callable[[Any], Any]

_SCALARS = frozenset({str, int, float, bool, type(None)})


def public_processed_crash(processed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what everybody may see of a processed crash; a copy, also of nested objects."""
    return _copy_known(processed, _PUBLIC)


def public_raw_crash(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations that everybody may see; an unknown annotation is protected."""
    return {name: value for name, value in raw.items() if name in _PUBLIC_ANNOTATIONS}


def telemetry_document(processed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is exported of a processed crash: public, of the declared types only."""
    document = {}
    for name, export_name, copy in _TELEMETRY:
        if name in processed:
            value = copy(processed[name])
            if value is not LEFT_OUT:
                document[export_name] = value
    return document


def _copy_known(source: Mapping[str, Any], copies: Mapping[str, Copy | None]) -> dict[str, Any]:
    """Copy the parts that have an entry; the entry None stands for a scalar."""
    target = {}
    for name, value in source.items():
        copy = copies.get(name, _drop)
        if copy is None:
            if value.__class__ in _SCALARS:
                target[name] = value
            continue
        part = copy(value)
        if part is not LEFT_OUT:
            target[name] = part
    return target


def _drop(_value: Any) -> Any:
    return LEFT_OUT


def _copy_scalar(value: Any) -> Any:
    return value if value.__class__ in _SCALARS else LEFT_OUT


def _compile_public(shape: Shape) -> Copy | None:
    """Return the function that copies a public value, or None where it is a plain scalar."""
    if shape.protected or "any" in shape.types:
        return _drop
    if shape.item is not None:
        return _array_copy(_compile_public(shape.item) or _copy_scalar)
    if shape.others is not None:
        return _open_object_copy(shape)
    if "object" in shape.types:
        return _object_copy({name: _compile_public(part) for name, part in shape.parts.items()})
    return None


def _object_copy(copies: Mapping[str, Copy | None]) -> Copy:
    def copy(value: Any) -> Any:
        if value.__class__ is dict:
            return _copy_known(value, copies)
        return None if value is None else LEFT_OUT

    return copy


def _open_object_copy(shape: Shape) -> Copy:
    """Copy an object with free keys; no shape has free keys beside known ones but by overlap."""
    others = _compile_public(shape.others) if shape.others else _drop
    copies = {name: _compile_public(part) or _copy_scalar for name, part in shape.parts.items()}
    copy_other = others or _copy_scalar

    def copy(value: Any) -> Any:
        if value.__class__ is not dict:
            return None if value is None else LEFT_OUT
        parts = ((key, copies.get(key, copy_other)(part)) for key, part in value.items())
        return {key: part for key, part in parts if part is not LEFT_OUT}

    return copy


def _array_copy(copy_item: Copy) -> Copy:
    def copy(value: Any) -> Any:
        if value.__class__ is not list:
            return None if value is None else LEFT_OUT
        items = map(copy_item, value)
        return [item for item in items if item is not LEFT_OUT]

    return copy


def _compile_telemetry(field: Field) -> Copy:
    """Return the function that makes the exported value of a field.

    The export's schema knows null for scalars at the top only; elsewhere null is left out.
    """
    if field.telemetry is None or field.protected:
        return _drop
    if field.telemetry.to_string:
        return _to_string
    if field.type in ("object", "array"):
        wanted = frozenset(field.telemetry.paths)
        return _typed_copy(_selected(field.shape, wanted) if wanted else field.shape)
    classes = (*field.shape.classes, type(None))
    return lambda value: value if value.__class__ in classes else LEFT_OUT


def _to_string(value: Any) -> Any:
    if value is None or value.__class__ is str:
        return value
    if value.__class__ is bool:
        return "1" if value else "0"
    return str(value) if value.__class__ in _SCALARS else LEFT_OUT


def _selected(shape: Shape, wanted: frozenset[str], prefix: str = "") -> Shape:
    """Return the shape with only the wanted dotted paths and what leads to them."""
    if shape.item is not None:
        return Shape(shape.types, item=_selected(shape.item, wanted, prefix))
    parts = {}
    for name, part in shape.parts.items():
        path = prefix + name
        if path in wanted:
            parts[name] = part
        elif any(other.startswith(f"{path}.") for other in wanted):
            parts[name] = _selected(part, wanted, f"{path}.")
    return Shape(shape.types, parts=parts)


def _typed_copy(shape: Shape) -> Copy:
    """Return the function that copies a value of exactly this shape, without nulls."""
    if shape.protected or "any" in shape.types:
        return _drop
    if shape.item is not None:
        copy_item = _typed_copy(shape.item)
        return lambda value: (
            [item for item in map(copy_item, value) if item is not LEFT_OUT]
            if value.__class__ is list
            else LEFT_OUT
        )
    if "object" in shape.types:
        return _typed_object_copy(shape)
    classes = shape.classes
    return lambda value: value if value.__class__ in classes else LEFT_OUT


def _typed_object_copy(shape: Shape) -> Copy:
    copies = {name: _typed_copy(part) for name, part in shape.parts.items()}

    def copy(value: Any) -> Any:
        return _copy_known(value, copies) if value.__class__ is dict else LEFT_OUT

    return copy


_PUBLIC: Mapping[str, Copy | None] = {
    name: _compile_public(field.shape) for name, field in FIELDS.items()
}
_PUBLIC_ANNOTATIONS = frozenset(name for name, known in ANNOTATIONS.items() if not known.protected)
_TELEMETRY = [
    (name, field.telemetry.name, _compile_telemetry(field))
    for name, field in FIELDS.items()
    if field.telemetry is not None
]
