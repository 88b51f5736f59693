# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reads the YAML files of the registry and checks them strictly."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, cast

from socorro.fields.entry import Entry, FieldError, read_entry
from socorro.fields.model import (
    FIELD_TYPES,
    QUERY_TYPES,
    STORAGE_TYPES,
    Annotation,
    Field,
    FieldType,
    FormerExport,
    Provenance,
    QueryType,
    SearchField,
    StorageType,
    Telemetry,
)
from socorro.fields.shape import Shape, ShapeError, parse_shape, parse_types

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Registry:
    """All that the YAML files say."""

    fields: Mapping[str, Field]
    annotations: Mapping[str, Annotation]
    search_fields: Mapping[str, SearchField]
    former_exports: Mapping[str, FormerExport]


def load(files: Iterable[Traversable]) -> Registry:
    """Return the registry that the YAML files make together. Raises FieldError."""
    fields: dict[str, Field] = {}
    annotations: dict[str, Annotation] = {}
    search_fields: dict[str, SearchField] = {}
    former_exports: dict[str, FormerExport] = {}
    for file in files:
        content = read_entry(file)
        for name, node in content.mapping("fields").items():
            entry = Entry(f"{file.name}: field {name}", node)
            field, annotation = _field(entry, name)
            _add(fields, entry, field)
            if annotation is not None:
                _add(annotations, entry, annotation)
            for search in field.searches:
                _add(search_fields, entry, search)
        for name, node in content.mapping("annotations").items():
            entry = Entry(f"{file.name}: annotation {name}", node)
            _add(annotations, entry, _annotation(entry, name))
        for name, node in content.mapping("former_exports").items():
            entry = Entry(f"{file.name}: former export {name}", node)
            _add(former_exports, entry, _former_export(entry, name))
        content.take("shapes", dict, None)  # anchors for the rest of the file
        content.finish()
    exports = [field.telemetry.name for field in fields.values() if field.telemetry]
    for name in exports:
        if name in former_exports or exports.count(name) > 1:
            raise FieldError(f"two entries are exported as {name!r}")
    return Registry(fields, annotations, search_fields, former_exports)


def _add(target: dict[str, Any], entry: Entry, item: Any) -> None:
    if not isinstance(item.name, str) or not _NAME.fullmatch(item.name):
        raise entry.error(f"{item.name!r} is not a name")
    if item.name in target:
        raise entry.error(f"there are two {type(item).__name__} entries named {item.name!r}")
    target[item.name] = item


def _types(entry: Entry, text: str) -> tuple[FieldType, bool]:
    types, nullable = _checked(entry, parse_types, text)
    if len(types) != 1 or types[0] not in FIELD_TYPES:
        raise entry.error(f"unknown type {text!r}: use {', '.join(sorted(FIELD_TYPES))}")
    return types[0], nullable


def _checked(entry: Entry, parse: Any, node: Any) -> Any:
    try:
        return parse(node)
    except ShapeError as error:
        raise entry.error(str(error)) from None


def _field(entry: Entry, name: str) -> tuple[Field, Annotation | None]:
    kind, nullable = _types(entry, entry.text("type"))
    description = entry.text("description")
    protected = entry.flag("protected")
    deprecated = entry.flag("deprecated")
    provenance = _provenance(entry)
    annotation = _source(entry, description, protected, provenance)
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
        always=entry.flag("always"),
        provenance=provenance,
    )
    entry.finish()
    if field.default is not None and (field.annotation is None or not shape.fits(field.default)):
        raise entry.error("default must be a value of the field's type, for a copied field")
    return field, annotation


def _shape(entry: Entry, kind: FieldType, nullable: bool, protected: bool) -> Shape:
    node, items = entry.pop("shape"), entry.pop("items")
    if (node is not None) != (kind == "object") or (items is not None) != (kind == "array"):
        raise entry.error("an object needs a shape, an array needs items, others have neither")
    if kind == "array":
        node = [items]
    parsed = _checked(entry, parse_shape, kind if node is None else node)
    if parsed.types != (kind,):
        raise entry.error("the shape of an object is a mapping")
    return Shape((kind,), nullable, protected, parsed.parts, parsed.others, parsed.item)


def _provenance(entry: Entry) -> Provenance:
    return Provenance(
        products=entry.texts("products"),
        bugs=entry.urls("bugs"),
        data_reviews=entry.urls("data_reviews"),
        examples=entry.texts("examples"),
    )


def _source(
    entry: Entry, description: str, protected: bool, provenance: Provenance
) -> Annotation | None:
    """Read `annotation`: a name, or a mapping where it differs from the field."""
    node = entry.pop("annotation")
    if node is None:
        return None
    source = Entry(entry.where, {"name": node} if isinstance(node, str) else node)
    kind, nullable = _types(source, source.take("type", str, "string"))
    annotation = Annotation(
        source.text("name"),
        kind,
        nullable,
        source.flag("protected", protected),
        description,
        provenance=provenance,
    )
    source.finish()
    return annotation


def _annotation(entry: Entry, name: str) -> Annotation:
    kind, nullable = _types(entry, entry.text("type"))
    annotation = Annotation(
        name,
        kind,
        nullable,
        entry.flag("protected"),
        entry.text("description"),
        entry.flag("deprecated"),
        _provenance(entry),
    )
    entry.finish()
    return annotation


def _telemetry(entry: Entry, name: str, shape: Shape) -> Telemetry | None:
    node = entry.pop("telemetry")
    if node is None:
        return None
    export = Entry(f"{entry.where}: telemetry", {} if node is True else node)
    telemetry = Telemetry(
        name=export.take("name", str, name),
        to_string=_converts(export),
        paths=export.texts("paths"),
        not_null=export.texts("not_null"),
        former={
            path: _checked(export, parse_shape, part)
            for path, part in export.mapping("former").items()
        },
    )
    export.finish()
    if shape.protected:
        raise export.error("a protected field cannot be exported")
    for path in (*telemetry.paths, *telemetry.not_null):
        _check_path(export, shape, path)
    return telemetry


def _converts(entry: Entry) -> bool:
    """Say whether an exported value is made a text."""
    to = entry.take("convert", str, None)
    if to not in (None, "string"):
        raise entry.error(f"unknown convert {to!r}: use string")
    return to is not None


def _former_export(entry: Entry, name: str) -> FormerExport:
    export = FormerExport(
        name,
        _checked(entry, parse_shape, entry.pop("shape")),
        entry.text("description"),
        _converts(entry),
    )
    entry.finish()
    return export


def _check_path(entry: Entry, shape: Shape, path: str) -> Shape:
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
    entry: Entry, name: str, protected: bool, description: str, *, many: bool
) -> SearchField | None:
    node = entry.pop("search")
    if node is None:
        return None
    search = Entry(f"{entry.where}: search", node)
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
    entry: Entry, name: str, shape: Shape, description: str
) -> tuple[SearchField, ...]:
    found = []
    for search_name, node in entry.mapping("search_within").items():
        search = Entry(f"{entry.where}: search_within {search_name}", node)
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
    entry: Entry, name: str, path: str, protected: bool, description: str, *, many: bool
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
