# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The YAML files are checked strictly, and errors say where."""

from pathlib import Path

import pytest

from socorro.fields.loader import FieldError, load

GOOD = """
fields:
  colour:
    type: string
    description: The colour.
"""
OBJECT = "fields: {a: {type: object, description: A., "


def errors_of(folder: Path, *texts: str) -> str:
    """Return the error that files with these texts give."""
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"file{number}.yaml"
        path.write_text(text)
        paths.append(path)
    with pytest.raises(FieldError) as caught:
        load(paths)
    return str(caught.value)


def test_a_field_is_public_and_not_indexed_unless_it_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    field = load([path]).fields["colour"]
    assert not field.protected
    assert field.search is None
    assert field.telemetry is None


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        ("    typ: string", "file0.yaml: field colour: unknown key 'typ'"),
        ("    protected: 1", "protected must be a bool, not 1"),
        ("    search: {query: string}", "field colour: search: storage is missing"),
        ("    search: {query: strong, storage: text}", "unknown query 'strong'"),
        ("    search: {query: string, storage: text, a: 1}", "search: unknown key 'a'"),
        ("    shape: {a: string}", "an object needs a shape"),
        ("    telemetry: {convert: integer}", "unknown convert 'integer'"),
        ("    annotation: {protected: true}", "name is missing"),
        ("    default: 5", "default must be a value of the field's type"),
        ("    description: Again.", "the key 'description' is there twice"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_field(
    tmp_path: Path, addition: str, problem: str
) -> None:
    assert problem in errors_of(tmp_path, GOOD + addition)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fields: [1]", "fields must be a dict"),
        ("field: {}", "file0.yaml: unknown key 'field'"),
        ("- a", "file0.yaml: must be a mapping"),
        ("fields: {a: {type: string}}", "field a: description is missing"),
        ("fields: {a: {type: text, description: A.}}", "unknown type 'text'"),
        ("fields: {a: 1}", "field a: must be a mapping"),
        ("fields: {a b: {type: string, description: A.}}", "'a b' is not a name"),
        ("fields: {a: {type: object, description: A.}}", "an object needs a shape"),
        ("fields: {a: {type: array, description: A., items: strin}}", "unknown type 'strin'"),
        (
            "fields: {a: {type: object, description: A., shape: {b: [string, string]}}}",
            "b: an array has one kind of item",
        ),
        (
            "fields: {a: {type: object, description: A., shape: {b c d: string}}}",
            "the key 'b c d' is not a name",
        ),
        (
            "fields: {a: {type: object, description: A., shape: {b: string, b?: string}}}",
            "'b' is there twice",
        ),
        (
            OBJECT + "shape: {protected b: string}, telemetry: {paths: [b]}}}",
            "the path 'b' is protected",
        ),
        (
            OBJECT + "shape: {b: string}, telemetry: {paths: [c]}}}",
            "unknown path 'c'",
        ),
        (
            "fields: {a: {type: string, description: A., protected: true, telemetry: true}}",
            "a protected field cannot be exported",
        ),
        ("fields: {a: {type: string, description: A.", "file0.yaml: "),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in errors_of(tmp_path, text)


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    assert "file1.yaml: field colour: there are two Field entries" in errors_of(
        tmp_path, GOOD, GOOD
    )


def test_two_fields_cannot_copy_one_annotation(tmp_path: Path) -> None:
    copied = GOOD + "    annotation: Colour\n"
    other = copied.replace("colour", "color")
    assert "there are two Annotation entries named 'Colour'" in errors_of(tmp_path, copied, other)


def test_two_fields_cannot_have_one_search_name(tmp_path: Path) -> None:
    search = "    search: {name: hue, query: string, storage: keyword}\n"
    text = GOOD + search + GOOD.split("\n", 2)[2].replace("colour:", "color:") + search
    assert "there are two SearchField entries named 'hue'" in errors_of(tmp_path, text)
