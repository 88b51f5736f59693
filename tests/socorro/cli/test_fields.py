# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro fields`: the registry listed, and crashes checked against it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socorro.cli.commands import cli
from socorro.fields import ANNOTATIONS, FIELDS

SECRET = "https://a-secret-address.example.com/"


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["fields", *arguments], input=stdin)


def test_every_field_is_listed_with_type_permission_and_source() -> None:
    lines = run().output.splitlines()
    assert len(lines) == len(FIELDS)
    assert (
        "url (string, protected, from URL): "
        "Address of the page that was open when the crash happened." in lines
    )
    assert any(
        line.startswith("submitted_from_infobar (boolean, protected, depr") for line in lines
    )


def test_every_annotation_is_listed() -> None:
    described = json.loads(run("--annotations", "--json").output)
    assert [entry["name"] for entry in described] == sorted(ANNOTATIONS)
    by_name = {entry["name"]: entry for entry in described}
    assert by_name["BuildID"]["field"] == "build"
    assert by_name["CrashTime"]["field"] is None
    assert by_name["Android_Board"]["data_reviews"] == [
        "https://bugzilla.mozilla.org/show_bug.cgi?id=1564483#c4"
    ]


def test_a_search_field_says_how_it_is_indexed() -> None:
    described = {entry["name"]: entry for entry in json.loads(run("--json").output)}
    (search,) = described["startup_crash"]["search"]
    assert search["storage_mapping"] == {"type": "boolean", "null_value": False}
    assert described["uuid"]["always"]


@pytest.mark.parametrize(
    ("name", "title"),
    [("raw", "Raw crash"), ("processed", "Processed crash"), ("telemetry", "Telemetry crash")],
)
def test_a_schema_is_printed(name: str, title: str) -> None:
    assert json.loads(run("--schema", name).output)["title"] == title


def test_the_mapping_of_the_index_is_printed() -> None:
    mapping = json.loads(run("--schema", "search").output)["mappings"]["properties"]
    assert mapping["uptime"] == {"type": "long"}


def test_an_unknown_schema_is_refused() -> None:
    assert run("--schema", "cooked").exit_code == 2


def test_a_raw_crash_that_fits_says_so_and_names_what_nobody_registered(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    path.write_text(json.dumps({"ProductName": "DemoApp", "InstallTime": 5, "Mood": SECRET}))
    result = run("check", str(path))
    assert result.exit_code == 0
    assert result.output == (
        f"{path}: 'Mood' is not registered: protected, not indexed\n{path}: fits\n"
    )


def test_what_does_not_fit_a_raw_crash_is_named_without_values() -> None:
    raw = {"URL": [SECRET], "InstallTime": SECRET, "JavaException": json.dumps({"exception": 1})}
    result = run("check", "-", stdin=json.dumps(raw))
    assert result.exit_code == 1
    assert "<stdin>: URL is array, not string\n" in result.output
    assert "<stdin>: InstallTime has a non-int value\n" in result.output
    assert "<stdin>: JavaException value is malformed java_exception\n" in result.output
    assert SECRET not in result.output
    assert "fits" not in result.output


def test_what_does_not_fit_a_processed_crash_is_named_with_its_path() -> None:
    processed = {
        "uptime": True,
        "json_dump": {"threads": [{"frames": [None, {"line": SECRET}]}]},
        "signature": None,
        "telemetry_environment": {"settings": {"userPrefs": {"a.b": None, "c": 1.5}}},
    }
    output = run("check", "--processed", "-", stdin=json.dumps(processed)).output
    assert "uuid is missing" in output
    assert "uptime is boolean, not integer" in output
    assert "json_dump.threads[0].frames[1].line is string, not integer or null" in output
    assert "frames[0]" not in output
    assert "signature is null, not string" in output
    assert "userPrefs.c is number, not boolean or string or integer or null" in output
    assert SECRET not in output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON: "),
        ("[1]", "is no JSON object"),
        ('{"a": NaN}', "is no JSON: "),
        ("[" * 5000, "is no JSON: "),
    ],
)
def test_a_file_that_is_no_crash_is_named(text: str, said: str) -> None:
    result = run("check", "-", stdin=text)
    assert result.exit_code == 1
    assert said in result.output


def test_one_bad_file_of_many_is_enough_to_fail(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("{}")
    bad.write_text("{")
    result = run("check", str(bad), str(good))
    assert result.exit_code == 1
    assert f"{good}: fits" in result.output


def test_the_schemas_are_written(tmp_path: Path) -> None:
    result = run("write-schemas", str(tmp_path))
    assert len(result.output.splitlines()) == 4
    assert json.loads((tmp_path / "raw_crash.json").read_text())["title"] == "Raw crash"


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("write-schemas", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1
    assert "Error: cannot write the schemas" in result.output
