# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The search engine for one machine: a tantivy index behind an outbox in SQLite."""

from socorro.search.embedded.index import EmbeddedIndex

__all__ = ["EmbeddedIndex"]
