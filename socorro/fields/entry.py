# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Takes the mappings of the registry's YAML files apart, strictly: every mistake has its place."""

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any, cast

import yaml


class FieldError(ValueError):
    """The registry is wrong. The text names the file, the field and what is wrong."""


class Entry:
    """A mapping whose keys are taken one by one; what is left at the end is unknown."""

    def __init__(self, where: str, node: Any) -> None:
        """Raises FieldError if `node` is no mapping."""
        self.where = where
        if not isinstance(node, dict):
            raise self.error("must be a mapping")
        self._node = dict(node)

    def error(self, problem: str) -> FieldError:
        """Return the error to raise for a problem in this entry."""
        return FieldError(f"{self.where}: {problem}")

    def take(self, key: str, kind: type, default: Any) -> Any:
        """Return the value of a key, which must be exactly of a class, or the default."""
        if key not in self._node:
            return default
        value = self._node.pop(key)
        if value.__class__ is not kind:
            raise self.error(f"{key} must be a {kind.__name__}, not {value!r}")
        return value

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Return the mapping of a key, empty when there is none."""
        return cast("Mapping[str, Any]", self.take(key, dict, {}))

    def text(self, key: str) -> str:
        """Return the text of a key that must be there."""
        value = self.take(key, str, None)
        if not value:
            raise self.error(f"{key} is missing")
        return cast("str", value)

    def choice(self, key: str, choices: frozenset[str]) -> str:
        """Return the text of a key that must be one of the choices."""
        value = self.text(key)
        if value not in choices:
            raise self.error(f"unknown {key} {value!r}: use {', '.join(sorted(choices))}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return the truth value of a key."""
        return bool(self.take(key, bool, default))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts of a key, empty when there is none."""
        values = self.take(key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.error(f"{key} must be a list of texts")
        return tuple(values)

    def urls(self, key: str) -> tuple[str, ...]:
        """Return the list of addresses of a key, empty when there is none."""
        values = self.texts(key)
        if wrong := next((value for value in values if not value.startswith("https://")), None):
            raise self.error(f"{key} must be https addresses, not {wrong!r}")
        return values

    def pop(self, key: str) -> Any:
        """Return whatever a key holds, None when it is not there."""
        return self._node.pop(key, None)

    def finish(self) -> None:
        """Raise FieldError if a key was not taken."""
        if self._node:
            raise self.error(f"unknown key {next(iter(self._node))!r}")


class _Loader(yaml.CSafeLoader):
    """YAML with a mapping's double key as an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        if len(keys) != len(set(keys)):
            double = next(key for key in keys if keys.count(key) > 1)
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {double!r} is there twice", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


def read_entry(file: Traversable) -> Entry:
    """Return the content of a YAML file. Raises FieldError."""
    try:
        return Entry(file.name, yaml.load(file.read_bytes(), Loader=_Loader))  # noqa: S506
    except yaml.YAMLError as error:
        raise FieldError(f"{file.name}: {error}") from error
