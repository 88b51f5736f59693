# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the Dockerfile installs works without a checkout, for somebody who cannot write it."""

import json
import stat

from socorro import __version__
from socorro.fields import FIELDS
from tests.docker.installation import Installation

_FIND_FILES = """
import os, re, sys
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
import django
django.setup()
from django.test import Client
from socorro import packaged
from socorro.cli.demo import load_samples
from socorro.products import load_configured
from socorro.settings import load
from socorro.signature import SignatureLists

assert Path(packaged.__file__).is_relative_to(sys.prefix)
samples, symbol_folders = load_samples()
assert samples and all(sample.dump.is_file() for sample in samples)
assert symbol_folders and all(folder.is_dir() for folder in symbol_folders)
assert load_configured(load())
assert SignatureLists.load(None).prefix
browser = Client(SERVER_NAME="127.0.0.1")
page = browser.get("/")
assert page.status_code == 200
for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
    assert browser.get(address).status_code == 200, address
    print(address)
"""


def _output(installation: Installation, *command: str) -> str:
    done = installation.run(command, {})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_read_only_for_whoever_runs_it(installation: Installation) -> None:
    write = f"open({str(installation.packages / 'written')!r}, 'w')"
    done = installation.run(["python", "-c", write], {})
    assert "PermissionError" in done.stderr


def test_everybody_may_read_all_of_it(installation: Installation) -> None:
    for path in installation.prefix.rglob("*"):
        wanted = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
        assert path.stat().st_mode & wanted == wanted, path


def test_it_has_neither_pip_nor_anything_that_only_tests_need(
    installation: Installation,
) -> None:
    names = {path.name for path in installation.packages.iterdir()}
    assert {"collector", "cron", "processor", "socorro", "webapp"} <= names
    assert {"pip", "pytest", "tests", "bench", "mypy"} & names == set()


def test_it_says_its_version(installation: Installation) -> None:
    said = _output(installation, "socorro", "--version")
    assert said.strip() == f"socorro, version {__version__}"


def test_it_lists_settings_and_fields(installation: Installation) -> None:
    listed = json.loads(_output(installation, "socorro", "settings", "--json"))
    values = {entry["name"]: entry["value"] for entry in listed}
    assert values["SOCORRO_DATA"] == str(installation.data)
    assert values["COLLECTOR_HOST"] == "0.0.0.0"
    fields = json.loads(_output(installation, "socorro", "fields", "--json"))
    assert {field["name"] for field in fields} == set(FIELDS)


def test_lists_products_samples_templates_and_static_files_are_found(
    installation: Installation,
) -> None:
    _output(installation, "socorro", "migrate")
    found = _output(installation, "python", "-c", _FIND_FILES)
    assert ".css" in found


def test_it_knows_the_build_that_it_is_from(installation: Installation) -> None:
    facts = json.loads((installation.packages / "version.json").read_text())
    assert facts == {"commit": "0123456789abcdef", "source": "https://example.com/socorro"}
