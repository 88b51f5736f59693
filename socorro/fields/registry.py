# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The registry of this installation, read once when it is imported.

Importing raises SettingError where FIELDS names files that are wrong.
"""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from socorro.fields.entry import FieldError
from socorro.fields.loader import Registry, load
from socorro.fields.model import Annotation, Field, FormerExport, SearchField
from socorro.settings import SettingError, load_one


def _yaml_files(folder: Traversable) -> list[Traversable]:
    found = (file for file in folder.iterdir() if file.name.endswith(".yaml"))
    return sorted(found, key=lambda file: file.name)


def _load() -> Registry:
    shipped = _yaml_files(files("socorro.fields"))
    own = load_one("fields")
    if own is None:
        return load(shipped)
    try:
        return load([*shipped, *_yaml_files(own)])
    except (FieldError, OSError) as error:
        raise SettingError(f"FIELDS: {error}.") from error


_REGISTRY = _load()

FIELDS: Mapping[str, Field] = MappingProxyType(dict(_REGISTRY.fields))
ANNOTATIONS: Mapping[str, Annotation] = MappingProxyType(dict(_REGISTRY.annotations))
SEARCH_FIELDS: Mapping[str, SearchField] = MappingProxyType(dict(_REGISTRY.search_fields))
FORMER_EXPORTS: Mapping[str, FormerExport] = MappingProxyType(dict(_REGISTRY.former_exports))
