# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The tantivy schema made from the field registry, and documents in it."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import tantivy

from socorro.fields import SEARCH_FIELDS, SearchField

# Raise it when the meaning of the index changes though the fields do not.
_FORMAT = 1
SOURCE = "_source"
FRAMES_OF = "proto_signature"
FRAMES = "proto_signature__frames"
FRAME_SEPARATOR = " | "
_WORDS = "words"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Close to Elasticsearch's standard analyser: words keep inner dots, colons and apostrophes.
WORD_ANALYZER = (
    tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(r"\w+(?:[.'’:]\w+)*"))  # noqa: RUF001
    .filter(tantivy.Filter.lowercase())
    .build()
)


def exact_name(search: SearchField) -> str:
    """Return the index field with whole values, which filters, facets and sorting use."""
    return f"{search.name}__full" if search.has_full else search.name


def build_schema() -> tantivy.Schema:
    """Return the schema of an index of all search fields."""
    builder = tantivy.SchemaBuilder()
    for search in SEARCH_FIELDS.values():
        _add_field(builder, search)
    builder.add_text_field(FRAMES, tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field(SOURCE, stored=True)
    return builder.build()


def _add_field(builder: tantivy.SchemaBuilder, search: SearchField) -> None:
    if search.storage == "boolean":
        builder.add_boolean_field(search.name, indexed=True, fast=True)
    elif search.storage == "double":
        builder.add_float_field(search.name, indexed=True, fast=True)
    elif search.is_number or search.storage == "date":
        builder.add_integer_field(search.name, indexed=True, fast=True)
    else:
        if search.has_full:
            builder.add_text_field(search.name, tokenizer_name=_WORDS, index_option="basic")
        builder.add_text_field(
            exact_name(search), tokenizer_name="raw", index_option="basic", fast=True
        )


def register_analyzers(index: tantivy.Index) -> None:
    """Tell an opened index how words are found; tantivy does not store that."""
    index.register_tokenizer(_WORDS, WORD_ANALYZER)


def schema_hash() -> str:
    """Return a short text that changes with the schema."""
    fields = sorted((search.name, search.storage) for search in SEARCH_FIELDS.values())
    return hashlib.sha256(orjson.dumps([_FORMAT, fields])).hexdigest()[:12]


def milliseconds(moment: datetime) -> int:
    """Return the whole milliseconds since 1970, which is how dates are indexed."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(number: float) -> datetime:
    """Return the moment so many milliseconds after 1970, in UTC."""
    return _EPOCH + timedelta(milliseconds=number)


def semicolon_values(text: str) -> list[str]:
    """Return the values between semicolons as they are indexed: lower case, each once."""
    return list(dict.fromkeys(value for value in text.lower().split(";") if value))


def stored_source(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> bytes:
    """Return the search document (JSON) that the index stores of a crash."""
    source = searcher.doc(address).get_first(SOURCE)
    if source is None:
        raise ValueError("an entry of the search index has no source")
    return bytes(source)


def make_document(source: bytes) -> tantivy.Document:
    """Return the index document for a search document (JSON).

    A value that is not of its field's type is left out of the index; it stays in the source.
    """
    document = tantivy.Document()
    document.add_bytes(SOURCE, source)
    for name, value in orjson.loads(source).items():
        search = SEARCH_FIELDS.get(name)
        if search is not None:
            # One document that cannot be indexed would keep all behind it waiting.
            with suppress(ValueError, TypeError, OverflowError):
                _ADDERS[search.storage](document, search, value)
    return document


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return list(dict.fromkeys(text for text in value if isinstance(text, str)))
    return []


def _add_keyword(document: tantivy.Document, search: SearchField, value: Any) -> None:
    for text in _texts(value):
        document.add_text(search.name, text)


def _add_text(document: tantivy.Document, search: SearchField, value: Any) -> None:
    texts = _texts(value)
    for text in texts:
        document.add_text(search.name, text)
        document.add_text(exact_name(search), text)
    if search.name == FRAMES_OF:
        frames = (frame for text in texts for frame in text.split(FRAME_SEPARATOR))
        for frame in dict.fromkeys(frames):
            document.add_text(FRAMES, frame)


def _add_semicolon(document: tantivy.Document, search: SearchField, value: Any) -> None:
    if isinstance(value, str):
        for item in semicolon_values(value):
            document.add_text(search.name, item)


def _add_integer(document: tantivy.Document, search: SearchField, value: Any) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        document.add_integer(search.name, value)


def _add_double(document: tantivy.Document, search: SearchField, value: Any) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        document.add_float(search.name, float(value))


def _add_boolean(document: tantivy.Document, search: SearchField, value: Any) -> None:
    if isinstance(value, bool):
        document.add_boolean(search.name, value)


def _add_date(document: tantivy.Document, search: SearchField, value: Any) -> None:
    if isinstance(value, str):
        document.add_integer(search.name, milliseconds(datetime.fromisoformat(value)))


_ADDERS: Mapping[str, Callable[[tantivy.Document, SearchField, Any], None]] = {
    "keyword": _add_keyword,
    "text": _add_text,
    "semicolon": _add_semicolon,
    "long": _add_integer,
    "integer": _add_integer,
    "short": _add_integer,
    "double": _add_double,
    "boolean": _add_boolean,
    "date": _add_date,
}
