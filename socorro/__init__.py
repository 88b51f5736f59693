# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The shared library of the crash pipeline: what more than one room needs."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("socorro")
except PackageNotFoundError:  # a checkout on PYTHONPATH that nobody installed
    __version__ = "0.0.0"
