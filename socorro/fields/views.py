# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What others may see of a crash: the public views and the telemetry export.

The registry is compiled once into a tree of functions, each of which copies one kind of value and
leaves out what it does not know. A view costs one walk over the parts that it keeps.
"""

from collections.abc import Callable, Mapping
from gc import is_tracked
from typing import Any, Final

from socorro.fields.compiled import copy_of_scalars
from socorro.fields.exports import exported_shape
from socorro.fields.model import Field
from socorro.fields.registry import ANNOTATIONS, FIELDS
from socorro.fields.shape import Shape

LEFT_OUT: Final = object()
Copy = Callable[[Any], Any]

_NULL = type(None)
_SCALARS: frozenset[type] = frozenset({str, int, float, bool, _NULL})
_NOTHING: frozenset[type] = frozenset()


def public_processed_crash(processed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what everybody may see of a processed crash; a copy, also of nested objects."""
    public: dict[str, Any] = _PUBLIC(dict(processed))
    return public


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


def _compile(shape: Shape, typed: bool) -> Copy:
    """Return the function that copies a value of this shape, or LEFT_OUT.

    A `typed` copy takes only values of the declared types, and null only for scalars that may be
    null. Otherwise any scalar may stand for any other, and null for anything.
    """
    if shape.protected or "any" in shape.types:
        return _drop
    if shape.item is not None:
        return _array_copy(_compile(shape.item, typed), typed)
    if shape.others is not None:
        return _open_object_copy(shape, shape.others, typed)
    if "object" in shape.types:
        return _object_copy(shape, typed)
    classes = _classes(shape, typed)
    return lambda value: value if value.__class__ in classes else LEFT_OUT


def _drop(_value: Any) -> Any:
    return LEFT_OUT


def _classes(shape: Shape, typed: bool) -> frozenset[type]:
    if not typed:
        return _SCALARS
    return shape.classes | {_NULL} if shape.nullable else shape.classes


def _is_known(shape: Shape) -> bool:
    return not shape.protected and "any" not in shape.types


def _is_scalar(shape: Shape) -> bool:
    return not {"array", "object"}.intersection(shape.types)


def _object_copy(shape: Shape, typed: bool) -> Copy:
    known = {name: part for name, part in shape.parts.items() if _is_known(part)}
    scalars = {name: _classes(part, typed) for name, part in known.items() if _is_scalar(part)}
    nested = [(name, _compile(part, typed)) for name, part in known.items() if name not in scalars]
    return _typed_copy(scalars, nested) if typed else _loose_copy(list(scalars), nested)


def _typed_copy(scalars: Mapping[str, frozenset[type]], nested: list[tuple[str, Copy]]) -> Copy:
    copy_scalars = copy_of_scalars(scalars, LEFT_OUT)
    if not nested:
        return copy_scalars

    def copy(value: Any) -> Any:
        target = copy_scalars(value)
        if target is LEFT_OUT:
            return LEFT_OUT
        for name, copy_part in nested:
            if name in value:
                part = copy_part(value[name])
                if part is not LEFT_OUT:
                    target[name] = part
        return target

    return copy


def _loose_copy(scalars: list[str], nested: list[tuple[str, Copy]]) -> Copy:
    nullable = [name for name, _ in nested]
    public = frozenset([*scalars, *nullable])
    classes = dict.fromkeys(scalars, _SCALARS) | dict.fromkeys(nullable, frozenset({_NULL}))

    def copy(value: Any) -> Any:
        if value.__class__ is not dict:
            return None if value is None else LEFT_OUT
        # Thousands of frames take this way, almost all with known keys and scalars alone. A dict
        # that the garbage collector does not track holds no containers; not every one that holds
        # none is untracked, so this is a short cut and no more.
        whole = public.issuperset(value)
        if whole and not is_tracked(value):
            return value.copy()
        if whole and _SCALARS.issuperset(map(type, map(value.get, scalars))):
            target = value.copy()
        else:
            target = {
                name: part
                for name, part in value.items()
                if part.__class__ in classes.get(name, _NOTHING)
            }
        for name, copy_part in nested:
            part = value.get(name)
            if part is not None:
                copied = copy_part(part)
                if copied is not LEFT_OUT:
                    target[name] = copied
                else:
                    target.pop(name, None)
        return target

    return copy


def _open_object_copy(shape: Shape, others: Shape, typed: bool) -> Copy:
    """Return the function that copies an object with free keys."""
    copies = {name: _compile(part, typed) for name, part in shape.parts.items()}
    copy_other = _compile(others, typed)

    def copy(value: Any) -> Any:
        if value.__class__ is not dict:
            return _no_container(value, typed)
        parts = ((name, copies.get(name, copy_other)(part)) for name, part in value.items())
        return {name: part for name, part in parts if part is not LEFT_OUT}

    return copy


def _array_copy(copy_item: Copy, typed: bool) -> Copy:
    def copy(value: Any) -> Any:
        if value.__class__ is not list:
            return _no_container(value, typed)
        return [item for item in map(copy_item, value) if item is not LEFT_OUT]

    return copy


def _no_container(value: Any, typed: bool) -> Any:
    return None if value is None and not typed else LEFT_OUT


def _compile_telemetry(field: Field) -> Copy:
    """Return the function that makes the exported value of a field."""
    if field.telemetry is None or field.protected:
        return _drop
    if field.telemetry.to_string:
        return _to_string
    return _compile(exported_shape(field.shape, field.telemetry), typed=True)


def _to_string(value: Any) -> Any:
    if value is None or value.__class__ is str:
        return value
    if value.__class__ is bool:
        return "1" if value else "0"
    return str(value) if value.__class__ in _SCALARS else LEFT_OUT


_PUBLIC = _compile(
    Shape(("object",), parts={name: field.shape for name, field in FIELDS.items()}), typed=False
)
_PUBLIC_ANNOTATIONS = frozenset(name for name, known in ANNOTATIONS.items() if not known.protected)
_TELEMETRY = [
    (name, field.telemetry.name, _compile_telemetry(field))
    for name, field in FIELDS.items()
    if field.telemetry is not None
]
