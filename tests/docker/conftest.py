# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the tests of the container files share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.installation import Installation

BUILD_ARGUMENTS = {
    "BUILD": "",
    "COMMIT": "0123456789abcdef",
    "SOURCE": "https://example.com/socorro",
    "VERSION": "",
}


@pytest.fixture(scope="session")
def installation(stackwalker_binary: Path) -> Iterator[Installation]:
    """The environment of the image, built by the Dockerfile's steps."""
    installed = Installation(stackwalker_binary, BUILD_ARGUMENTS)
    yield installed
    installed.remove()
