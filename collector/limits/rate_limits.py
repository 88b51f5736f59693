# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How many reports the collector takes: in all, from an address, of a product."""

import math
from functools import cache

import limits

from collector.limits.client_address import client_network
from collector.limits.shared_windows import Count, SharedWindows
from collector.refusal import Refused
from socorro.settings import Settings

# Of a product's name, which may be anything, so much tells it from others.
_LONGEST_NAME = 200


class RateLimits:
    """The rate limits of the settings, counted for all workers together.

    Make it before the workers are forked. Addresses are held in memory only, as salted hashes.
    """

    def __init__(self, settings: Settings, windows: SharedWindows | None = None) -> None:
        self._trusted = settings.trusted_proxies
        self._in_all = _rate(settings.rate_limit)
        self._per_address = _rate(settings.rate_limit_per_address)
        self._per_product = _rate(settings.rate_limit_per_product)
        off = not (self._in_all or self._per_address or self._per_product)
        self._windows = None if off else windows or SharedWindows()

    def check_client(self, peer: str, forwarded_for: str | None) -> None:
        """Count a request before its body is read. Raises Refused when there are too many."""
        counts = []
        if self._in_all:
            counts.append(Count("all", *self._in_all))
        if self._per_address:
            network = client_network(peer, forwarded_for, self._trusted)
            # Clients without an address, on a Unix socket, are one client.
            counts.append(Count(f"address {network}", *self._per_address))
        self._take(counts)

    def check_product(self, product: object) -> None:
        """Count a report that would be stored. Raises Refused when there are too many."""
        if self._per_product:
            name = str(product)[:_LONGEST_NAME]
            self._take([Count(f"product {name}", *self._per_product)])

    def _take(self, counts: list[Count]) -> None:
        if self._windows is None or not counts:
            return
        wait = self._windows.take(counts)
        if wait > 0:
            raise Refused(
                "rate_limited",
                429,
                malformed=False,
                retry_after=max(1, math.ceil(wait)),
            )


@cache
def shared_rate_limits(settings: Settings) -> RateLimits:
    """Return the limits that this process and those forked from it share."""
    return RateLimits(settings)


def _rate(text: str) -> tuple[int, float] | None:
    """Return how many there may be in how many seconds; None for no limit."""
    if not text:
        return None
    item = limits.parse(text)
    return item.amount, float(item.get_expiry())
