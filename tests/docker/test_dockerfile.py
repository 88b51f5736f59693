# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The image, as far as it can be checked without building it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from processor.stackwalk.build import BINARY
from socorro.settings import describe
from tests.docker.files import ROOT, Stage, is_ignored, read_stages

STAGES = read_stages()
FINAL = STAGES["socorro"]
_BUILT = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    files = [str(path) for path in (ROOT / "docker").rglob("*Dockerfile*")]
    assert files
    hadolint = Path(sys.executable).with_name("hadolint")
    # Nothing is ignored: there is no configuration, neither here nor of the user.
    linted = subprocess.run(
        [hadolint, "--no-color", *files],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


def test_every_stage_begins_with_an_image_of_a_fixed_version_on_the_same_debian() -> None:
    for stage in STAGES.values():
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-slim-bookworm", stage.base), stage.base


def test_its_rust_can_build_the_stackwalker() -> None:
    manifest = tomllib.loads((ROOT / "stackwalker" / "Cargo.toml").read_text())["package"]
    version = re.search(r"rust:(\d+)\.(\d+)", STAGES["stackwalker"].base)
    assert version
    needed = tuple(int(part) for part in manifest["rust-version"].split("."))
    assert (int(version[1]), int(version[2])) >= needed
    (build,) = STAGES["stackwalker"].all("RUN")
    assert "--locked" in build.words


def test_the_stackwalker_is_where_the_setting_says() -> None:
    copied = [found.words for found in FINAL.all("COPY")]
    walker = FINAL.environment["STACKWALKER_COMMAND"]
    assert ["--from=stackwalker", f"/src/target/release/{BINARY}", walker] in copied


def test_environment_and_image_have_the_same_python() -> None:
    assert STAGES["environment"].base == FINAL.base
    version = re.search(r"python:(\d+\.\d+)", FINAL.base)
    assert version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["mypy"]["python_version"] == version[1]
    assert f"/usr/local/lib/python{version[1]}" in FINAL.all("RUN")[0].text


def test_packages_are_installed_by_their_hashes() -> None:
    installs = [run.text for run in STAGES["environment"].all("RUN") if " install " in run.text]
    requirements, project = installs
    assert "--require-hashes" in requirements
    assert "-r requirements/prod.txt" in requirements
    assert "--no-deps" in project


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_every_file_that_is_copied_is_there_and_reaches_the_build(stage: Stage) -> None:
    for copy in stage.all("COPY"):
        *sources, _ = copy.words
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in STAGES
            continue
        for source in sources:
            path = ROOT / source
            assert path.is_dir() if source.endswith("/") else path.is_file(), source
            assert not is_ignored(source.rstrip("/")), source


def test_nothing_else_reaches_the_build() -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    sources = [
        source
        for stage in STAGES.values()
        for copy in stage.all("COPY")
        if not copy.words[0].startswith("--from=")
        for source in copy.words[:-1]
    ]
    for name in listed.stdout.splitlines():
        wanted = any(
            name.startswith(source) if source.endswith("/") else name == source
            for source in sources
        )
        assert wanted or is_ignored(name), name


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "data/secret_key",
        "docker/config/common.env",
        "docker/config/local.env",
        "socorro/__pycache__/aws.cpython-311.pyc",
        "stackwalker/target/release/socorro-stackwalker",
        "tests/conftest.py",
    ],
)
def test_what_is_private_or_made_stays_out_of_the_build(path: str) -> None:
    assert is_ignored(path)


def test_it_runs_as_a_user_with_a_fixed_number_who_owns_the_data_folder() -> None:
    assert FINAL.last("USER").text == "10001:10001"
    made = FINAL.all("RUN")[0].text
    data = FINAL.environment["SOCORRO_DATA"]
    assert "useradd --uid 10001 --gid 10001" in made
    assert f"--owner=10001 --group=10001 --mode=0700 {data}" in made
    assert FINAL.last("WORKDIR").text == data
    # Nothing is run or copied as this user, so nothing but the folder belongs to it.
    keywords = [found.keyword for found in FINAL.instructions]
    assert not {"RUN", "COPY", "ADD"} & set(keywords[keywords.index("USER") :])


def test_the_command_is_one_of_socorro() -> None:
    assert FINAL.last("ENTRYPOINT").words == ["socorro"]
    assert FINAL.last("STOPSIGNAL").text == "SIGTERM"


def test_all_that_it_sets_are_settings() -> None:
    known = {described.name for described in describe()}
    assert set(FINAL.environment) - _BUILT <= known
    assert FINAL.environment["PYTHONUNBUFFERED"] == "1"
    assert FINAL.environment["PATH"].startswith("/opt/socorro/bin:")


def test_no_secret_is_in_it() -> None:
    secret = re.compile("secret|password|token|key|credential", re.IGNORECASE)
    named = [
        name
        for stage in STAGES.values()
        for found in (*stage.all("ENV"), *stage.all("ARG"))
        for name in found.pairs
    ]
    assert [name for name in named if secret.search(name)] == []


def test_it_says_what_it_is() -> None:
    labels = FINAL.last("LABEL").pairs
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels["org.opencontainers.image.licenses"] == project["license"]
    assert labels["org.opencontainers.image.description"] == project["description"]
    arguments = FINAL.last("ARG").pairs
    for name in ("revision", "source", "version"):
        assert labels[f"org.opencontainers.image.{name}"].removeprefix("$") in arguments
