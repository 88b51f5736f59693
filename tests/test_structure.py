# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The shape of the project: who imports whom, and what ships."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_imports_point_one_way() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_every_requirement_says_why_it_is_here() -> None:
    for path in (ROOT / "requirements").glob("*.in"):
        for line in path.read_text().splitlines():
            if (
                line
                and not line.startswith(("#", "-"))
                and not re.match(r"pytest|types-|mypy", line)
            ):
                assert path.name != "prod.in" or "#" in line, f"{path.name}: {line}"


def test_a_wheel_holds_the_lists_products_samples_and_the_stackwalkers_source(
    tmp_path: Path,
) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", tmp_path, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        "siglists/prefix_signature_re.txt",
        "samples/manifest.yaml",
        "samples/crashes/dumps/threads.dmp",
        "stackwalker/Cargo.lock",
        "stackwalker/src/main.rs",
        "collector/wsgi.py",
        "webapp/wsgi.py",
        "webapp/crashstats/templates/crashstats/base.html",
        "cron/migrations/0001_initial.py",
    }
    assert expected - names == set()
    assert any(name.startswith("products/") for name in names)
    assert any(re.fullmatch(r"socorro/fields/\w+\.yaml", name) for name in names)
    assert any(name.endswith(".css") for name in names)
    assert not any(name.startswith(("tests/", "bench/", "stackwalker/target")) for name in names)
