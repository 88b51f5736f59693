# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The documentation is built without a warning and lists what the code declares."""

import subprocess
import sys
from pathlib import Path

import pytest

from processor.ruleset import Choices, default_rules
from processor.walker import WalkerSource
from socorro.fields import ANNOTATIONS, FIELDS
from socorro.metrics import DECLARED
from socorro.settings import describe, load
from socorro.signing import load_signer

RULES = default_rules(WalkerSource(load()), load_signer(load()), Choices())
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E"]
    ended = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(DOCS), str(folder / "html")],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return folder / "html"


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("operator/settings.html", [setting.name for setting in describe()]),
        ("operator/metrics.html", [f"socorro.{metric.name}" for metric in DECLARED]),
        ("user/fields.html", [*FIELDS, *ANNOTATIONS]),
        ("developer/rules.html", [type(rule).__name__ for rule in RULES]),
    ],
)
def test_the_reference_lists_everything_that_is_declared(
    built: Path, page: str, names: list[str]
) -> None:
    text = (built / page).read_text()
    missing = [name for name in names if f'<span class="pre">{name}</span>' not in text]
    assert missing == []


def test_no_page_asks_another_host_for_anything(built: Path) -> None:
    for page in built.rglob("*.html"):
        text = page.read_text()
        assert 'src="http' not in text, page
        assert '<link rel="stylesheet" type="text/css" href="http' not in text, page
