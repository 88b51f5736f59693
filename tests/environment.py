# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Keeps the tests away from the data and settings of this checkout.

A plugin and no conftest: pytest-django imports Django's settings, which read ours, before any
conftest is loaded.
"""

import os
import tempfile

from socorro import settings

for _described in settings.describe():
    os.environ.pop(_described.name, None)
os.environ.pop("SOCORRO_CONFIG", None)
os.environ["SOCORRO_DATA"] = tempfile.mkdtemp(prefix="socorro-tests-")
