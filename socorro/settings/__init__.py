# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The settings: declared, documented, read and checked in one place.

A setting comes from the environment, else from the file that SOCORRO_CONFIG names (``NAME=value``
lines), else from its default. `$SOCORRO_DATA` in a value stands for the data folder.
"""

from socorro.settings.declared import SettingError, Settings, address
from socorro.settings.reading import Described, describe, load, load_one, mask, mask_secret
from socorro.settings.secret import secret_key

__all__ = [
    "Described",
    "SettingError",
    "Settings",
    "address",
    "describe",
    "load",
    "load_one",
    "mask",
    "mask_secret",
    "secret_key",
]
