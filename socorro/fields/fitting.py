# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Takes out of a value what is not of the form that the registry describes."""

from typing import Any, Final

from socorro.fields.shape import Shape

_NOTHING: Final = object()


def fitted(shape: Shape, value: Any) -> Any:
    """Return a copy of a JSON value without the parts that do not fit; None if nothing does.

    Parts that the shape does not know are kept. In a list of objects, what is no object (null, too)
    becomes an empty one, so that the others keep their places.
    """
    fitting = _fitted(shape, value)
    return None if fitting is _NOTHING else fitting


def _fitted(shape: Shape, value: Any) -> Any:
    if "any" in shape.types:
        return value
    if value is None:
        return None if shape.nullable else _NOTHING
    if value.__class__ not in shape.classes:
        return _NOTHING
    if isinstance(value, dict):
        parts = ((name, _part(shape, name, part)) for name, part in value.items())
        return {name: part for name, part in parts if part is not _NOTHING}
    if isinstance(value, list) and shape.item is not None:
        return _items(shape.item, value)
    return value


def _part(shape: Shape, name: str, part: Any) -> Any:
    known = shape.parts.get(name, shape.others)
    return part if known is None else _fitted(known, part)


def _items(shape: Shape, values: list[Any]) -> list[Any]:
    fitting = (_fitted(shape, value) for value in values)
    if shape.types == ("object",):
        return [item if isinstance(item, dict) else {} for item in fitting]
    return [item for item in fitting if item is not _NOTHING]
