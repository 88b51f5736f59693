# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reads the settings: from the environment, else the file SOCORRO_CONFIG, else their defaults."""

import os
import re
from dataclasses import dataclass, fields
from typing import Any

from decouple import Config, RepositoryEmpty, RepositoryEnv

from socorro.settings.declared import SettingError, Settings
from socorro.settings.parsers import path

# What libpq takes in the options of a URL.
_PASSWORD_OPTION = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


# All of a URL's authority before its last @; a list of URLs has several.
_CREDENTIALS = re.compile(r"://[^/?#]*@")


@dataclass(frozen=True)
class Described:
    """One setting as `describe` shows it; `value` is masked when it is a secret."""

    name: str
    value: str
    default: str
    source: str
    doc: str


def load() -> Settings:
    """Read and check all settings. Raises SettingError."""
    reader = _Reader()
    data = reader.text(_declared("data"))
    values = {item.name: reader.value(item, data) for item in fields(Settings)}
    return Settings(**values)


def load_one(attribute: str) -> Any:
    """Read and check one setting of Settings, for what is needed before all are read.

    Raises SettingError.
    """
    reader = _Reader()
    return reader.value(_declared(attribute), reader.text(_declared("data")))


def describe() -> list[Described]:
    """Return every setting with its value in force, secrets masked. Raises SettingError."""
    reader = _Reader()
    data = reader.text(_declared("data"))
    described = []
    for item in fields(Settings):
        reader.value(item, data)
        meta = item.metadata
        value = _expand(reader.text(item), data)
        described.append(
            Described(
                name=meta["name"],
                value=mask(value) if not meta["secret"] else mask_secret(value),
                default=meta["default"],
                source=reader.source(meta["name"]),
                doc=meta["doc"],
            )
        )
    return described


def mask(value: str) -> str:
    """Hide the credentials inside URLs; other values stay as they are."""
    if "://" not in value:
        return value
    return _CREDENTIALS.sub("://***@", _PASSWORD_OPTION.sub(r"\1***", value))


def mask_secret(value: str) -> str:
    """Hide a secret: a URL without credentials stays readable, anything else is stars."""
    if value.startswith("sqlite://"):
        return value
    if value.startswith(("postgres://", "postgresql://")):
        return mask(value)
    return "***" if value else ""


def _declared(attribute: str) -> Any:
    return next(item for item in fields(Settings) if item.name == attribute)


def _expand(text: str, data: str) -> str:
    return text.replace("$SOCORRO_DATA", str(path(data)))


class _Reader:
    """Finds the text of a setting: environment, then file, then default."""

    def __init__(self) -> None:
        self._file = self._open_file(os.environ.get("SOCORRO_CONFIG", ""))
        self._config = Config(self._file)

    @staticmethod
    def _open_file(path: str) -> Any:
        if not path:
            return RepositoryEmpty()
        try:
            return RepositoryEnv(path)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"SOCORRO_CONFIG: cannot read {path}: {error}.") from error

    def text(self, item: Any) -> str:
        return str(self._config(item.metadata["name"], default=item.metadata["default"]))

    def value(self, item: Any, data: str) -> Any:
        text = _expand(self.text(item), data)
        try:
            return item.metadata["parse"](text)
        except ValueError as error:
            shown = "***" if item.metadata["secret"] else repr(mask(text)[:200])
            raise SettingError(f"{item.metadata['name']}={shown}: {error}.") from error

    def source(self, name: str) -> str:
        if name in os.environ:
            return "environment"
        return "file" if name in self._file else "default"
