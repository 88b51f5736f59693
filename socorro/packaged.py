# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Where the data that ships with the code lies: lists, products, samples, the stackwalker's source.

They are folders beside the rooms, in a checkout as in site-packages.
"""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]

SAMPLES = _ROOT / "samples"
SIGLISTS = _ROOT / "siglists"
PRODUCTS = _ROOT / "products"
STACKWALKER_SOURCE = _ROOT / "stackwalker"
