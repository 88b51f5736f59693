# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How Elasticsearch indexes the fields of a search document."""

from collections.abc import Mapping
from typing import Any

from socorro.fields.model import SearchField
from socorro.fields.registry import SEARCH_FIELDS

_DATE_FORMATS = "yyyy-MM-dd'T'HH:mm:ssZZZZZ||yyyy-MM-dd'T'HH:mm:ss.SSSSSSZZZZZ"
# Where the name of a storage is not the name of a type.
_MAPPINGS: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "text", "fields": {"full": {"type": "keyword"}}},
    "semicolon": {"type": "text", "analyzer": "semicolon_keywords", "fielddata": True},
    "date": {"type": "date", "format": _DATE_FORMATS},
}


def storage_mapping(search: SearchField) -> dict[str, Any]:
    """Return the mapping of one field."""
    mapping = dict(_MAPPINGS.get(search.storage, {"type": search.storage}))
    return mapping if search.null_value is None else mapping | {"null_value": search.null_value}


def search_mapping() -> dict[str, Any]:
    """Return settings and mapping of an index of search documents.

    What is not mapped is not indexed: a name that the registry does not know can only come from a
    newer version of this program.
    """
    return {
        "settings": {
            "analysis": {
                "analyzer": {
                    "semicolon_keywords": {"type": "pattern", "pattern": ";", "lowercase": True}
                }
            }
        },
        "mappings": {
            "dynamic": False,
            "properties": {
                name: storage_mapping(SEARCH_FIELDS[name]) for name in sorted(SEARCH_FIELDS)
            },
        },
    }
