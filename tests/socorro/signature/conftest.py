# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fixtures of the signature tests."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from socorro.signature import SignatureLists

# atheris has no wheels for some machines. Where the tests must be complete, it must be there.
collect_ignore = [] if find_spec("atheris") or os.environ.get("CI") else ["test_fuzz_signature.py"]


@pytest.fixture
def no_lists(tmp_path: Path) -> SignatureLists:
    """Lists of an empty folder: they match nothing."""
    folder = tmp_path / "no-lists"
    folder.mkdir()
    return SignatureLists.load(folder)
