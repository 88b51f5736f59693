# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Checks a crash against the registry and says what does not fit, without quoting values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from socorro.fields.annotations import copy_annotations
from socorro.fields.model import Annotation
from socorro.fields.registry import ANNOTATIONS, FIELDS
from socorro.fields.shape import Shape

_JSON_TYPES: Mapping[type, str] = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "integer",
    list: "array",
    str: "string",
    type(None): "null",
}


@dataclass(frozen=True)
class Findings:
    """What a check found.

    `problems` are sentences about values that do not fit; `unknown` are names that the registry
    does not have, which are kept, protected and not indexed.
    """

    problems: tuple[str, ...]
    unknown: tuple[str, ...]


def check_raw_crash(raw_crash: Mapping[str, Any]) -> Findings:
    """Check annotations: their types, and whether the fields copied from them can be made."""
    fields = {field.annotation: field.shape for field in FIELDS.values() if field.annotation}
    problems = [
        problem
        for name, value in sorted(raw_crash.items())
        if name in ANNOTATIONS
        for problem in _annotation_problems(ANNOTATIONS[name], fields.get(name), value)
    ]
    _, notes = copy_annotations(raw_crash)
    return Findings((*problems, *notes), tuple(sorted(raw_crash.keys() - ANNOTATIONS.keys())))


def check_processed_crash(processed: Mapping[str, Any]) -> Findings:
    """Check the fields of a processed crash, protected ones too, with all their known parts."""
    missing = [
        f"{name} is missing"
        for name, field in sorted(FIELDS.items())
        if field.always and name not in processed
    ]
    mismatches = [
        problem
        for name, value in sorted(processed.items())
        if name in FIELDS
        for problem in _mismatches(FIELDS[name].shape, value, name)
    ]
    return Findings((*missing, *mismatches), tuple(sorted(processed.keys() - FIELDS.keys())))


def _annotation_problems(annotation: Annotation, copied: Shape | None, value: Any) -> Iterator[str]:
    shape = Shape((annotation.type,), annotation.nullable)
    if copied is None:
        yield from _mismatches(shape, value, annotation.name)
    elif value.__class__ not in copied.classes:
        # Of a wrong type of its own, the copying tells.
        yield from _mismatches(shape, value, annotation.name)


def _mismatches(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Yield a sentence for each part of a value that is not of the declared type."""
    if value is None:
        if not shape.nullable and "any" not in shape.types:
            yield f"{path} is null, not {_expected(shape)}"
    elif "any" not in shape.types and value.__class__ not in shape.classes:
        yield f"{path} is {_JSON_TYPES[value.__class__]}, not {_expected(shape)}"
    elif isinstance(value, dict):
        for name, part in value.items():
            inner = shape.parts.get(name, shape.others)
            if inner is not None:
                yield from _mismatches(inner, part, f"{path}.{name}")
    elif isinstance(value, list) and shape.item is not None:
        for index, part in enumerate(value):
            yield from _mismatches(shape.item, part, f"{path}[{index}]")


def _expected(shape: Shape) -> str:
    return " or ".join([*shape.types, *(["null"] if shape.nullable else [])])
