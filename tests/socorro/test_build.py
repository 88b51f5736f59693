# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a build says of itself."""

from pathlib import Path

import pytest

from socorro import __version__
from socorro.build import build_facts


@pytest.mark.parametrize(
    ("content", "facts"),
    [
        (None, {}),
        (b"", {}),
        (b"[]", {}),
        (b'{"commit": "abc", "build": "1"}', {"commit": "abc", "build": "1"}),
        (b'{"version": "2026.11"}', {"version": "2026.11"}),
    ],
)
def test_the_version_comes_with_what_the_build_wrote(
    tmp_path: Path, content: bytes | None, facts: dict[str, str]
) -> None:
    path = tmp_path / "version.json"
    if content is not None:
        path.write_bytes(content)
    assert build_facts(path) == {"version": __version__, **facts}
