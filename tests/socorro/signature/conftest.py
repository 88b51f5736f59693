# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fixtures of the signature tests."""

from pathlib import Path

import pytest

from socorro.signature import SignatureLists


@pytest.fixture
def no_lists(tmp_path: Path) -> SignatureLists:
    """Lists of an empty folder: they match nothing."""
    folder = tmp_path / "no-lists"
    folder.mkdir()
    return SignatureLists.load(folder)
