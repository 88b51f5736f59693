# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The registry of this installation, read once when it is imported."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from socorro.fields.loader import load
from socorro.fields.model import Annotation, Field, FormerExport, SearchField

_FILES = sorted(
    (file for file in files("socorro.fields").iterdir() if file.name.endswith(".yaml")),
    key=lambda file: file.name,
)
_REGISTRY = load(_FILES)

FIELDS: Mapping[str, Field] = MappingProxyType(dict(_REGISTRY.fields))
ANNOTATIONS: Mapping[str, Annotation] = MappingProxyType(dict(_REGISTRY.annotations))
SEARCH_FIELDS: Mapping[str, SearchField] = MappingProxyType(dict(_REGISTRY.search_fields))
FORMER_EXPORTS: Mapping[str, FormerExport] = MappingProxyType(dict(_REGISTRY.former_exports))
