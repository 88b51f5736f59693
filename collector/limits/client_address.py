# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The address that a request comes from, as far as it can be trusted."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What one customer of a provider has at the least.
_IPV6_PREFIX = 64


def client_network(
    peer: str, forwarded_for: str | None, trusted: Sequence[Network]
) -> Network | None:
    """Return the client's address as a network, an IPv6 one with its /64; None if it is unknown.

    `peer` is who is connected. When that is a trusted proxy, `forwarded_for` (X-Forwarded-For) is
    read from the right: each trusted proxy vouches for the entry on its left, so the first that is
    not trusted is the client. Entries further left are the client's own invention.
    """
    address = _address(peer)
    entries = [entry.strip() for entry in (forwarded_for or "").split(",")]
    while address is not None and entries and _is_trusted(address, trusted):
        entry = entries.pop()
        if not entry:
            break
        forwarded = _address(entry)
        if forwarded is None:
            # A proxy that names its client in another way is all that is known.
            break
        address = forwarded
    return None if address is None else _network(address)


def _address(text: str) -> Address | None:
    """Read an address, with a port or brackets as some proxies write them."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _network(address: Address) -> Network:
    prefix = _IPV6_PREFIX if isinstance(address, IPv6Address) else 32
    return ip_network((address, prefix), strict=False)
