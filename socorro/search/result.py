# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a search engine answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Bucket:
    """One value of a facet, or one step of a histogram, with its count.

    `term` is a text, number or boolean; for a date histogram an aware datetime. `facets` maps
    field names to the buckets within this one.
    """

    term: Any
    count: int
    facets: Mapping[str, tuple["Bucket", ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchResult:
    """The hits of the asked window, and the counts over all that match.

    `hits` hold the asked columns; a field that a crash lacks is None. `facets` and `histograms`
    are keyed by field name.
    """

    total: int
    hits: tuple[Mapping[str, Any], ...] = ()
    facets: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict)
    histograms: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict)
