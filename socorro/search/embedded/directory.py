# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The folders of the index: one for each schema, made, converted and opened here.

``<folder>/index-<hash of the schema>`` is the index; a changed schema has another hash, so that
programs of two versions never share an index. The indexer converts: it reads what the old index
stores of each crash, writes the new index aside, renames it, and removes the old one.
"""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tantivy

from socorro.search.base import Event, SearchUnavailable
from socorro.search.embedded.schema import (
    build_schema,
    make_document,
    register_analyzers,
    schema_hash,
    stored_source,
)

logger = logging.getLogger(__name__)

HEAP_BYTES = 60_000_000
_PREFIX = "index-"
_BATCH = 2000
_BROKEN = (
    "Stop the server, delete that folder, start again, and run `socorro search rebuild`"
    " to fill the index from the processed crashes."
)


class IndexDirectory:
    """The index folders below the search folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"{_PREFIX}{schema_hash()}"

    @property
    def path(self) -> Path:
        """Folder of the index of this program's schema."""
        return self._path

    def open(self) -> tantivy.Index | None:
        """Return the index for reading, or None when nothing was indexed yet.

        Raises SearchUnavailable when it is broken, or still in the form of another version.
        """
        if not self._path.is_dir():
            if self._others():
                raise SearchUnavailable(
                    f"The search index in {self._folder} is being converted to a new schema."
                )
            return None
        index = self._opened(self._path)
        register_analyzers(index)
        index.config_reader("manual")
        return index

    def prepare(self, stopping: Event) -> tantivy.Index | None:
        """Return the index for writing, made or converted if need be; for the indexer only.

        Returns None when `stopping` was set before a conversion ended; it then starts anew.
        """
        if not self._path.is_dir() and not self._make(stopping):
            return None
        self._remove_others()
        index = self._opened(self._path)
        register_analyzers(index)
        return index

    def _make(self, stopping: Event) -> bool:
        aside = self._folder / f"new-{self._path.name}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        index = tantivy.Index(build_schema(), str(aside), reuse=False)
        register_analyzers(index)
        for old in self._others():
            if not self._convert(old, index, stopping):
                return False
        aside.rename(self._path)
        return True

    def _convert(self, old: Path, target: tantivy.Index, stopping: Event) -> bool:
        source_index = self._opened(old)
        searcher = source_index.searcher()
        total = searcher.num_docs
        logger.warning("converting the search index: %d crashes", total)
        writer = target.writer(HEAP_BYTES, 1)
        for done, source in enumerate(_stored_sources(source_index, searcher)):
            if stopping.is_set():
                return False
            writer.add_document(make_document(source))
            if done % (10 * _BATCH) == 0:
                logger.info("converted %d of %d crashes", done, total)
        writer.commit()
        writer.wait_merging_threads()
        logger.warning(
            "converted the search index; fields that are new are filled for new crashes, and for"
            " old ones by `socorro search rebuild`"
        )
        return True

    def _opened(self, path: Path) -> tantivy.Index:
        try:
            return tantivy.Index.open(str(path))
        except (ValueError, OSError) as error:
            raise SearchUnavailable(
                f"The search index in {path} cannot be opened: {error} {_BROKEN}"
            ) from error

    def _others(self) -> list[Path]:
        return sorted(path for path in self._folder.glob(f"{_PREFIX}*") if path != self._path)

    def _remove_others(self) -> None:
        for path in self._others():
            shutil.rmtree(path, ignore_errors=True)


def _stored_sources(index: tantivy.Index, searcher: tantivy.Searcher) -> Iterator[bytes]:
    """Yield what the index stores of every crash, some thousands in memory at a time.

    The crash ids come in order from one composite aggregation after the other, each of which
    begins where the one before it ended.
    """
    composite: dict[str, Any] = {
        "size": _BATCH,
        "sources": [{"uuid": {"terms": {"field": "uuid"}}}],
    }
    while True:
        request = {"page": {"composite": composite}}
        page = searcher.aggregate(tantivy.Query.all_query(), request)["page"]
        uuids = [bucket["key"]["uuid"] for bucket in page["buckets"]]
        if not uuids:
            return
        wanted = tantivy.Query.term_set_query(index.schema, "uuid", uuids)
        for _, address in searcher.search(wanted, limit=len(uuids), count=False).hits:
            yield stored_source(searcher, address)
        composite = {**composite, "after": page["after_key"]}
