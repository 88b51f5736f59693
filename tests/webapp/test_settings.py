# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Django's settings from ours."""

from dataclasses import replace

import pytest

from socorro.settings import load
from webapp.settings import allowed_hosts, database


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"127.0.0.1", "[::1]", "localhost"}),
        ({"webapp_host": "0.0.0.0"}, {"127.0.0.1", "[::1]", "localhost"}),
        ({"webapp_host": "::"}, {"127.0.0.1", "[::1]", "localhost"}),
        ({"webapp_host": "10.0.0.5"}, {"10.0.0.5", "127.0.0.1", "[::1]", "localhost"}),
        (
            {"webapp_url": "https://crashes.example:8443/x"},
            {"crashes.example", "127.0.0.1", "[::1]", "localhost"},
        ),
        (
            {"allowed_hosts": (".internal", "*")},
            {".internal", "*", "127.0.0.1", "[::1]", "localhost"},
        ),
    ],
)
def test_the_hosts_are_this_machine_and_what_is_configured(
    changes: dict[str, object], expected: set[str]
) -> None:
    assert set(allowed_hosts(replace(load(), **changes))) == expected  # type: ignore[arg-type]


def test_sqlite_waits_for_other_writers_instead_of_failing() -> None:
    described = database(replace(load(), database_url="sqlite:////tmp/a folder/x.db"))
    assert described["NAME"] == "/tmp/a folder/x.db"
    assert described["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in described["OPTIONS"]["init_command"]
