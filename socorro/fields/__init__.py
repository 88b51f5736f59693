# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The registry of fields: every annotation and every field of a processed crash, once.

The YAML files in this folder are the source. From them come what the processor copies from
annotations, what the public may see, what is exported as telemetry and what is searchable.
Anything that is not in the registry is protected and not indexed.
"""

from socorro.fields.annotations import copy_annotations
from socorro.fields.description import describe, describe_annotations
from socorro.fields.entry import FieldError
from socorro.fields.model import Annotation, Field, Provenance, SearchField, Telemetry
from socorro.fields.registry import ANNOTATIONS, FIELDS, SEARCH_FIELDS
from socorro.fields.searching import search_document
from socorro.fields.shape import Shape
from socorro.fields.views import public_processed_crash, public_raw_crash, telemetry_document

__all__ = [
    "ANNOTATIONS",
    "FIELDS",
    "SEARCH_FIELDS",
    "Annotation",
    "Field",
    "FieldError",
    "Provenance",
    "SearchField",
    "Shape",
    "Telemetry",
    "copy_annotations",
    "describe",
    "describe_annotations",
    "public_processed_crash",
    "public_raw_crash",
    "search_document",
    "telemetry_document",
]
