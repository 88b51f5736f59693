# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fields and annotations of a deployment's own, in the folder that FIELDS names."""

import json
import os
import subprocess
import sys
from pathlib import Path

OWN = """
fields:
  acme_mood:
    type: string
    description: How the user felt.
    annotation: AcmeMood
    telemetry: true
    search: {query: string, storage: keyword}
  acme_secret:
    type: object
    description: What nobody else may see.
    protected: true
    shape: {deep: integer}
annotations:
  AcmeRaw:
    type: string
    description: Used by a rule of our own.
"""
PROBE = """
import json
from socorro.fields import copy_annotations, public_processed_crash, public_raw_crash
from socorro.fields import search_document, telemetry_document
fields, notes = copy_annotations({"AcmeMood": "good "})
crash = {"uuid": "x", "acme_mood": fields["acme_mood"], "acme_secret": {"deep": 1}}
views = [public_processed_crash, telemetry_document, search_document]
raw = public_raw_crash({"AcmeRaw": "1", "AcmeMood": "2", "AcmeOther": "3"})
print(json.dumps([view(crash) for view in views] + [raw]))
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "FIELDS": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_own_fields_are_copied_shown_exported_and_searched_as_they_say(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(OWN)
    (tmp_path / "README.md").write_text("not a YAML file")
    ended = run(tmp_path, "-c", PROBE)
    assert ended.stderr == ""
    seen = {"uuid": "x", "acme_mood": "good"}
    assert json.loads(ended.stdout) == [seen, seen, seen, {"AcmeRaw": "1", "AcmeMood": "2"}]


def test_own_fields_are_listed_and_checked(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(OWN)
    listed = run(tmp_path, "-m", "socorro", "fields").stdout
    assert "acme_mood (string, public, from AcmeMood): How the user felt." in listed
    schema = json.loads(run(tmp_path, "-m", "socorro", "fields", "--schema", "processed").stdout)
    assert schema["properties"]["acme_secret"]["permissions"] == ["protected"]


def test_a_wrong_file_stops_the_program_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(OWN.replace("type: string", "type: text", 1))
    ended = run(tmp_path, "-m", "socorro", "fields")
    assert ended.returncode == 78
    assert "FIELDS: acme.yaml: field acme_mood: unknown type 'text'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_name_that_is_taken_stops_the_program(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(OWN.replace("acme_mood", "signature"))
    ended = run(tmp_path, "-m", "socorro", "fields")
    assert ended.returncode == 78
    assert "acme.yaml: field signature: there are two Field entries" in ended.stderr


def test_a_folder_that_is_not_there_stops_the_program(tmp_path: Path) -> None:
    ended = run(tmp_path / "missing", "-m", "socorro", "fields")
    assert ended.returncode == 78
    assert "FIELDS" in ended.stderr
    assert "Traceback" not in ended.stderr
