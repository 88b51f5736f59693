# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Everything about cronrun holds on both kinds of database."""

import pytest

from tests.databases import Engine


@pytest.fixture(scope="module", autouse=True)
def _on_each_database(each_database: Engine) -> None:
    """Run all tests of this folder on SQLite and on PostgreSQL."""
