# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reads the YAML files of the registry and checks them strictly."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, cast

import yaml

from socorro.fields.model import (
    FIELD_TYPES,
    QUERY_TYPES,
    STORAGE_TYPES,
    Annotation,
    Field,
    FieldType,
    QueryType,
    SearchField,
    StorageType,
    Telemetry,
)
from socorro.fields.shape import Shape, ShapeError, parse_shape, parse_types

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class FieldError(ValueError):
    """The registry is wrong. The text names the file, the field and what is wrong."""


@dataclass(frozen=True)
class Registry:
    """All that the YAML files say."""

    fields: Mapping[str, Field]
    annotations: Mapping[str, Annotation]
    search_fields: Mapping[str, SearchField]


def load(files: Iterable[Traversable]) -> Registry:
    """Return the registry that the YAML files make together. Raises FieldError."""
    fields: dict[str, Field] = {}
    annotations: dict[str, Annotation] = {}
    search_fields: dict[str, SearchField] = {}
    for file in files:
        content = _read(file)
        for name, node in content.mapping("fields", {}).items():
            entry = _Entry(f"{file.name}: field {name}", node)
            field, annotation = _field(entry, name)
            _add(fields, entry, field)
            if annotation is not None:
                _add(annotations, entry, annotation)
            for search in filter(None, (field.search, *field.search_within)):
                _add(search_fields, entry, search)
        for name, node in content.mapping("annotations", {}).items():
            entry = _Entry(f"{file.name}: annotation {name}", node)
            _add(annotations, entry, _annotation(entry, name))
        content.take("shapes", dict, None)  # anchors for the rest of the file
        content.finish()
    return Registry(fields, annotations, search_fields)


class _Entry:
    """A mapping whose keys are taken one by one; what is left at the end is unknown."""

    def __init__(self, where: str, node: Any) -> None:
        self.where = where
        if not isinstance(node, dict):
            raise self.error("must be a mapping")
        self._node = dict(node)

    def error(self, problem: str) -> FieldError:
        return FieldError(f"{self.where}: {problem}")

    def take(self, key: str, kind: type, default: Any) -> Any:
        if key not in self._node:
            return default
        value = self._node.pop(key)
        if value.__class__ is not kind:
            raise self.error(f"{key} must be a {kind.__name__}, not {value!r}")
        return value

    def mapping(self, key: str, default: Mapping[str, Any]) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.take(key, dict, default))

    def text(self, key: str) -> str:
        value = self.take(key, str, None)
        if not value:
            raise self.error(f"{key} is missing")
        return cast("str", value)

    def choice(self, key: str, choices: frozenset[str]) -> str:
        value = self.text(key)
        if value not in choices:
            raise self.error(f"unknown {key} {value!r}: use {', '.join(sorted(choices))}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        return bool(self.take(key, bool, default))

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.take(key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.error(f"{key} must be a list of texts")
        return tuple(values)

    def pop(self, key: str) -> Any:
        return self._node.pop(key, None)

    def finish(self) -> None:
        if self._node:
            raise self.error(f"unknown key {next(iter(self._node))!r}")


class _Loader(yaml.CSafeLoader):
    """YAML with a mapping's double key as an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        if len(keys) != len(set(keys)):
            double = next(key for key in keys if keys.count(key) > 1)
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {double!r} is there twice", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


def _read(file: Traversable) -> _Entry:
    try:
        return _Entry(file.name, yaml.load(file.read_bytes(), Loader=_Loader))  # noqa: S506
    except yaml.YAMLError as error:
        raise FieldError(f"{file.name}: {error}") from error


def _add(target: dict[str, Any], entry: _Entry, item: Any) -> None:
    if not isinstance(item.name, str) or not _NAME.fullmatch(item.name):
        raise entry.error(f"{item.name!r} is not a name")
    if item.name in target:
        raise entry.error(f"there are two {type(item).__name__} entries named {item.name!r}")
    target[item.name] = item


def _types(entry: _Entry, text: str) -> tuple[FieldType, bool]:
    types, nullable = _checked(entry, parse_types, text)
    if len(types) != 1 or types[0] not in FIELD_TYPES:
        raise entry.error(f"unknown type {text!r}: use {', '.join(sorted(FIELD_TYPES))}")
    return types[0], nullable


def _checked(entry: _Entry, parse: Any, node: Any) -> Any:
    try:
        return parse(node)
    except ShapeError as error:
        raise entry.error(str(error)) from None


def _field(entry: _Entry, name: str) -> tuple[Field, Annotation | None]:
    kind, nullable = _types(entry, entry.text("type"))
    description = entry.text("description")
    protected = entry.flag("protected")
    deprecated = entry.flag("deprecated")
    annotation = _source(entry, description, protected)
    shape = _shape(entry, kind, nullable, protected)
    field = Field(
        name=name,
        type=kind,
        nullable=nullable,
        protected=protected,
        description=description,
        shape=shape,
        annotation=annotation.name if annotation else None,
        default=entry.pop("default"),
        telemetry=_telemetry(entry, name, shape),
        search=_search(entry, name, protected, description, many=kind == "array"),
        search_within=_search_within(entry, name, shape, description),
        deprecated=deprecated,
    )
    entry.finish()
    if field.default is not None and (field.annotation is None or not shape.fits(field.default)):
        raise entry.error("default must be a value of the field's type, for a copied field")
    return field, annotation


def _shape(entry: _Entry, kind: FieldType, nullable: bool, protected: bool) -> Shape:
    node, items = entry.pop("shape"), entry.pop("items")
    if (node is not None) != (kind == "object") or (items is not None) != (kind == "array"):
        raise entry.error("an object needs a shape, an array needs items, others have neither")
    if kind == "array":
        node = [items]
    parsed = _checked(entry, parse_shape, kind if node is None else node)
    if parsed.types != (kind,):
        raise entry.error("the shape of an object is a mapping")
    return Shape((kind,), nullable, protected, parsed.parts, parsed.others, parsed.item)


def _source(entry: _Entry, description: str, protected: bool) -> Annotation | None:
    """Read `annotation`: a name, or a mapping where it differs from the field."""
    node = entry.pop("annotation")
    if node is None:
        return None
    source = _Entry(entry.where, {"name": node} if isinstance(node, str) else node)
    kind, nullable = _types(source, source.take("type", str, "string"))
    annotation = Annotation(
        source.text("name"), kind, nullable, source.flag("protected", protected), description
    )
    source.finish()
    return annotation


def _annotation(entry: _Entry, name: str) -> Annotation:
    kind, nullable = _types(entry, entry.text("type"))
    annotation = Annotation(
        name,
        kind,
        nullable,
        entry.flag("protected"),
        entry.text("description"),
        entry.flag("deprecated"),
    )
    entry.finish()
    return annotation


def _telemetry(entry: _Entry, name: str, shape: Shape) -> Telemetry | None:
    node = entry.pop("telemetry")
    if node is None:
        return None
    export = _Entry(f"{entry.where}: telemetry", {} if node is True else node)
    exported_name = export.take("name", str, name)
    to_string = export.take("convert", str, None)
    if to_string not in (None, "string"):
        raise export.error(f"unknown convert {to_string!r}: use string")
    paths = export.texts("paths")
    export.finish()
    if shape.protected:
        raise export.error("a protected field cannot be exported")
    for path in paths:
        _check_path(export, shape, path)
    return Telemetry(exported_name, to_string == "string", paths)


def _check_path(entry: _Entry, shape: Shape, path: str) -> Shape:
    """Return the shape at a dotted path below `shape`, which must be public all the way."""
    for name in path.split("."):
        while shape.item is not None:
            shape = shape.item
        if name not in shape.parts:
            raise entry.error(f"unknown path {path!r}")
        shape = shape.parts[name]
        if shape.protected:
            raise entry.error(f"the path {path!r} is protected")
    return shape


def _search(
    entry: _Entry, name: str, protected: bool, description: str, *, many: bool
) -> SearchField | None:
    node = entry.pop("search")
    if node is None:
        return None
    search = _Entry(f"{entry.where}: search", node)
    found = _search_field(
        search,
        search.take("name", str, name),
        search.take("path", str, name),
        protected,
        description,
        many=many,
    )
    search.finish()
    return found


def _search_within(
    entry: _Entry, name: str, shape: Shape, description: str
) -> tuple[SearchField, ...]:
    found = []
    for search_name, node in entry.mapping("search_within", {}).items():
        search = _Entry(f"{entry.where}: search_within {search_name}", node)
        path = search.text("path")
        text = search.take("description", str, f"{description} Part: {path}.")
        protected = shape.protected
        if shape.others is None:
            protected |= _check_path(search, shape, path).protected
        many = search.flag("many")
        found.append(
            _search_field(search, search_name, f"{name}.{path}", protected, text, many=many)
        )
        search.finish()
    return tuple(found)


def _search_field(
    entry: _Entry, name: str, path: str, protected: bool, description: str, *, many: bool
) -> SearchField:
    storage = cast("StorageType", entry.choice("storage", STORAGE_TYPES))
    return SearchField(
        name=name,
        path=path,
        query_type=cast("QueryType", entry.choice("query", QUERY_TYPES)),
        storage=storage,
        protected=protected,
        description=description,
        exposed=entry.flag("exposed", True),
        returned=entry.flag("returned", True),
        null_value=entry.take("null_value", bool, None),
        many=many or storage == "semicolon",
        choices=entry.texts("choices"),
    )
