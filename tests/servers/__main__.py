# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fetch what the servers need into the user's cache; print its folder, or what is wrong."""

import sys

from processor.stackwalk.build import default_cache
from tests.servers.jars import FetchFailed, fetch

try:
    sys.stdout.write(f"{fetch(default_cache())}\n")
except FetchFailed as error:
    sys.exit(str(error))
