# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Which version a build was released as."""

from webapp.crashstats.models import ProductVersion

_CHANNELS_OF_BETAS = frozenset({"aurora", "beta"})
_CANDIDATE = "rc"


def versions_of_build(product: str, channel: str, build_id: str) -> list[str]:
    """Return the versions of a build on a channel, in lower case; of betas those that it has.

    The last beta of a version can be its release candidate as well. Such a build is called by its
    number as a beta.
    """
    channel = channel.lower()
    rows = ProductVersion.objects.filter(product=product, channel=channel, build_id=build_id)
    versions = list(rows.order_by("version").values_list("version", flat=True))
    if channel not in _CHANNELS_OF_BETAS or not versions:
        return versions
    is_beta = "b" in versions[0]
    return [version for version in versions if (_CANDIDATE in version) is not is_beta]
