# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The structure of a value: its types, and for objects and arrays the structure of their parts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TYPES = frozenset({"any", "array", "boolean", "integer", "number", "object", "string"})
OTHER_KEYS = "*"

_CLASSES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


@dataclass(frozen=True)
class Shape:
    """What a value may be.

    `types` are names of TYPES. `parts` are the known keys of an object, `others` what its other
    keys hold (None: other keys are unknown), `item` what an array holds. A protected part is for
    users who may see protected data, and so is everything within it.
    """

    types: tuple[str, ...]
    nullable: bool = False
    protected: bool = False
    parts: Mapping[str, "Shape"] = field(default_factory=dict)
    others: "Shape | None" = None
    item: "Shape | None" = None

    @property
    def classes(self) -> frozenset[type]:
        """Python classes of the types; an exact comparison, as a bool is not an integer here."""
        return frozenset(kind for name in self.types for kind in _CLASSES.get(name, ()))

    def fits(self, value: Any) -> bool:
        """Say whether a JSON value has this structure; keys that are not in it are no matter."""
        if "any" in self.types:
            return True
        if value is None:
            return self.nullable
        if value.__class__ not in self.classes:
            return False
        if value.__class__ is dict:
            return all(self._part_fits(key, part) for key, part in value.items())
        if value.__class__ is list and self.item is not None:
            return all(map(self.item.fits, value))
        return True

    def _part_fits(self, key: str, value: Any) -> bool:
        shape = self.parts.get(key, self.others)
        return shape is None or shape.fits(value)

    def paths(self) -> Iterator[tuple[str, "Shape"]]:
        """Yield every dotted path below this one with its shape; `[]` stands for array items."""
        for name, part in [*self.parts.items(), (OTHER_KEYS, self.others), ("[]", self.item)]:
            if part is not None:
                yield name, part
                yield from ((f"{name}.{path}", shape) for path, shape in part.paths())


class ShapeError(ValueError):
    """A shape in a YAML file is not well formed. The text says where and why."""


def parse_types(text: Any) -> tuple[tuple[str, ...], bool]:
    """Return the types of a text such as ``integer|string?`` and whether it may be null."""
    if not isinstance(text, str):
        raise ShapeError(f"a type must be a text, not {text!r}")
    types = tuple(text.removesuffix("?").split("|"))
    if not TYPES.issuperset(types):
        raise ShapeError(f"unknown type {text!r}: use {', '.join(sorted(TYPES))}")
    return types, text.endswith("?")


def parse_shape(node: Any) -> Shape:
    """Return the shape that a node of a YAML file describes.

    A text is a type, a mapping is an object, a list of one node is an array; a second item, null,
    says that items may be null. A key may carry ``protected`` in front and ``?`` (null is
    possible) behind; the key ``*`` is any other key.
    """
    if isinstance(node, dict):
        return _parse_object(node)
    if isinstance(node, list):
        if not node or node[1:] not in ([], [None]):
            raise ShapeError("an array has one kind of item: write a list of one")
        item = parse_shape(node[0])
        return Shape(("array",), item=replace(item, nullable=True) if node[1:] else item)
    types, nullable = parse_types(node)
    return Shape(types, nullable)


def _parse_object(node: Mapping[Any, Any]) -> Shape:
    parts: dict[str, Shape] = {}
    for key, value in node.items():
        name, nullable, protected = _parse_key(key)
        if name in parts:
            raise ShapeError(f"{name!r} is there twice")
        try:
            part = parse_shape(value)
        except ShapeError as error:
            raise ShapeError(f"{name}: {error}") from None
        parts[name] = Shape(
            part.types,
            nullable or part.nullable,
            protected,
            part.parts,
            part.others,
            part.item,
        )
    others = parts.pop(OTHER_KEYS, None)
    return Shape(("object",), parts=parts, others=others)


def _parse_key(key: Any) -> tuple[str, bool, bool]:
    if not isinstance(key, str):
        raise ShapeError(f"the key {key!r} must be a text")
    name = key.removeprefix("protected ")
    bare = name.removesuffix("?")
    if not bare or " " in bare:
        raise ShapeError(f"the key {key!r} is not a name")
    return bare, name != bare, name != key
