# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The data dictionary: what the field registry says, ready to be shown.

It has two data sets: ``annotation``, the annotations of a raw crash, and ``processed``, the fields
of a processed crash with all their parts. A part has the path of its field and parts between
slashes, ``[]`` for the items of a list and ``*`` for any other name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.urls import reverse

from socorro.fields import ANNOTATIONS, FIELDS, Annotation, Field, Provenance, SearchField, Shape
from socorro.fields.shape import OTHER_KEYS

ANNOTATION, PROCESSED = "annotation", "processed"
DATASETS = {ANNOTATION: "annotation of a raw crash", PROCESSED: "field of a processed crash"}
PERMISSIONS = ("public", "protected")
ITEMS = "[]"


class UnknownField(LookupError):
    """The data dictionary has no such data set or field."""


@dataclass(frozen=True)
class Row:
    """One field in a list of many."""

    dataset: str
    name: str
    type: str
    protected: bool
    description: str
    deprecated: bool
    url: str
    search_names: tuple[str, ...]

    def matches(self, words: Iterable[str]) -> bool:
        """Say whether every one of the words, in lower case, is in the name or the description."""
        everything = " ".join((self.name, self.description, *self.search_names)).lower()
        return all(word in everything for word in words)


@dataclass(frozen=True)
class Link:
    """A name and where it leads."""

    name: str
    url: str


@dataclass(frozen=True)
class Part:
    """A part of an object or list."""

    name: str
    type: str
    protected: bool
    url: str


@dataclass(frozen=True)
class Entry:
    """All about one field, annotation or part of a field.

    `above` are the entries that hold it, the outermost first. `searches` are its search fields.
    """

    dataset: str
    name: str
    type: str
    protected: bool
    description: str = ""
    deprecated: bool = False
    above: tuple[Link, ...] = ()
    parts: tuple[Part, ...] = ()
    source: Link | None = None
    copy: Link | None = None
    default: str = ""
    exported_as: str = ""
    provenance: Provenance = Provenance()
    searches: tuple[SearchField, ...] = ()


def rows(query: str = "", dataset: str = "", permission: str = "") -> list[Row]:
    """Return the fields and annotations whose names or descriptions have all words of a query.

    A data set or permission that is not one of those there are is taken for any.
    """
    words = query.lower().split()
    return [
        row
        for row in _all_rows()
        if row.matches(words)
        and (dataset not in DATASETS or row.dataset == dataset)
        and (permission not in PERMISSIONS or row.protected == (permission == "protected"))
    ]


def entry(dataset: str, path: str) -> Entry:
    """Return what is known of a field or annotation, or of a part. Raises UnknownField."""
    name, *parts = path.split("/")
    if dataset == ANNOTATION and name in ANNOTATIONS and not parts:
        return _annotation_entry(ANNOTATIONS[name])
    if dataset == PROCESSED and name in FIELDS:
        return _part_entry(FIELDS[name], parts) if parts else _field_entry(FIELDS[name])
    raise UnknownField(path)


def entry_url(dataset: str, *path: str) -> str:
    """Return the address of an entry's page."""
    return reverse("crashstats:dictionary_entry", args=[dataset, "/".join(path)])


def _all_rows() -> Iterator[Row]:
    for name in sorted(ANNOTATIONS, key=str.lower):
        yield _row(ANNOTATION, ANNOTATIONS[name], ())
    for name in sorted(FIELDS):
        field = FIELDS[name]
        yield _row(PROCESSED, field, tuple(s.name for s in field.searches if s.exposed))


def _row(dataset: str, known: Annotation | Field, search_names: tuple[str, ...]) -> Row:
    return Row(
        dataset=dataset,
        name=known.name,
        type=known.type,
        protected=known.protected,
        description=known.description,
        deprecated=known.deprecated,
        url=entry_url(dataset, known.name),
        search_names=search_names,
    )


def _annotation_entry(annotation: Annotation) -> Entry:
    copies = [field.name for field in FIELDS.values() if field.annotation == annotation.name]
    return Entry(
        dataset=ANNOTATION,
        name=annotation.name,
        type=_type_text((annotation.type,), annotation.nullable),
        protected=annotation.protected,
        description=annotation.description,
        deprecated=annotation.deprecated,
        copy=Link(copies[0], entry_url(PROCESSED, copies[0])) if copies else None,
        provenance=annotation.provenance,
        searches=_exposed(FIELDS[copies[0]].searches) if copies else (),
    )


def _field_entry(field: Field) -> Entry:
    source = field.annotation
    return Entry(
        dataset=PROCESSED,
        name=field.name,
        type=_type_text((field.type,), field.nullable),
        protected=field.protected,
        description=field.description,
        deprecated=field.deprecated,
        parts=_parts(field.shape, field.protected, (field.name,)),
        source=Link(source, entry_url(ANNOTATION, source)) if source else None,
        default="" if field.default is None else str(field.default).lower(),
        exported_as=field.telemetry.name if field.telemetry else "",
        provenance=field.provenance,
        searches=_exposed(field.searches),
    )


def _part_entry(field: Field, path: list[str]) -> Entry:
    shape, protected = field.shape, field.protected
    above = [Link(field.name, entry_url(PROCESSED, field.name))]
    for depth, name in enumerate(path, start=1):
        inner = _inner(shape).get(name)
        if inner is None:
            raise UnknownField("/".join(path))
        shape, protected = inner, protected or inner.protected
        above.append(Link(name, entry_url(PROCESSED, field.name, *path[:depth])))
    dotted = ".".join((field.name, *path))
    return Entry(
        dataset=PROCESSED,
        name=path[-1],
        type=_type_text(shape.types, shape.nullable),
        protected=protected,
        above=tuple(above[:-1]),
        parts=_parts(shape, protected, (field.name, *path)),
        searches=_exposed(search for search in field.searches if search.path == dotted),
    )


def _inner(shape: Shape) -> dict[str, Shape]:
    """Return the parts of a shape by name, those of free names and items last."""
    parts = {name: shape.parts[name] for name in sorted(shape.parts)}
    if shape.others is not None:
        parts[OTHER_KEYS] = shape.others
    if shape.item is not None:
        parts[ITEMS] = shape.item
    return parts


def _parts(shape: Shape, protected: bool, path: tuple[str, ...]) -> tuple[Part, ...]:
    return tuple(
        Part(
            name=name,
            type=_type_text(part.types, part.nullable),
            protected=protected or part.protected,
            url=entry_url(PROCESSED, *path, name),
        )
        for name, part in _inner(shape).items()
    )


def _exposed(searches: Iterable[SearchField]) -> tuple[SearchField, ...]:
    return tuple(search for search in searches if search.exposed)


def _type_text(types: tuple[str, ...], nullable: bool) -> str:
    return " or ".join([*types, "null"] if nullable else types)
