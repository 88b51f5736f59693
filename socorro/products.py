# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The product files: what the site says about products beyond what their crashes tell.

A product needs no file to have its crashes taken, processed and searched. One file describes one
product: ``products/<any name>.yaml`` (or ``.yml``, or ``.json``).
"""

import json
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from socorro import packaged
from socorro.settings import SettingError, Settings

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_MAX_BYTES = 2**20
_AUTOMATIC = "auto"
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,39}")
# What a bug link's address may quote of a crash.
BUG_LINK_KEYS = frozenset(
    {"bug_type", "op_sys", "rep_platform", "signature", "title", "description"}
)


class ProductError(ValueError):
    """A product file is wrong. The text names the file, the key and what is wrong."""


@dataclass(frozen=True)
class Link:
    """A link of a product. A bug link's `url` has places such as ``{signature}`` to be filled."""

    text: str
    url: str


@dataclass(frozen=True)
class Product:
    """A product as its file describes it.

    `name` is the ProductName of its reports. Products are listed by `home_page_sort`, smallest
    first. `featured_versions` holds versions, or "auto" for those that the crashes suggest. `rules`
    are those of the processor that only some products want.
    """

    name: str
    description: str
    home_page_sort: int
    featured_versions: tuple[str, ...]
    bug_links: tuple[Link, ...]
    product_home_links: tuple[Link, ...]
    rules: tuple[str, ...] = ()


def load(folder: Path) -> list[Product]:
    """Return the products of the files in a folder, in the order in which they are listed.

    Raises ProductError for a folder that cannot be read, a file that is not well-formed, unknown
    or missing keys, wrong values, and two files for the same product.
    """
    products: dict[str, Product] = {}
    for path in _files(folder):
        product = _product(path, _read(path))
        if product.name in products:
            raise ProductError(f"{path.name}: name: there is another file for {product.name!r}")
        products[product.name] = product
    return sorted(products.values(), key=lambda product: (product.home_page_sort, product.name))


def load_configured(settings: Settings) -> list[Product]:
    """Return the products of the folder PRODUCTS, by default those shipped. Raises SettingError."""
    try:
        return load(settings.products or packaged.PRODUCTS)
    except ProductError as error:
        raise SettingError(f"PRODUCTS: {error}.") from error


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise ProductError(f"the folder of products cannot be read: {error}") from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        body = path.read_bytes()
        if len(body) > _MAX_BYTES:
            raise ProductError(f"{path.name}: is larger than {_MAX_BYTES} bytes")
        if path.suffix.lower() == ".json":
            content = json.loads(body, object_pairs_hook=_unique)
        else:
            content = yaml.load(body, _UniqueKeys)  # noqa: S506 - a subclass of the safe loader
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        if isinstance(error, ProductError):
            raise
        raise ProductError(f"{path.name}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ProductError(f"{path.name}: must be a mapping of keys")
    return content


def _product(path: Path, content: Mapping[str, Any]) -> Product:
    unknown = [key for key in content if key not in _KEYS and not str(key).startswith("_")]
    if unknown:
        known = ", ".join(_KEYS)
        raise ProductError(f"{path.name}: {unknown[0]}: is no key of a product; those are {known}")
    values = {}
    for key, (check, default) in _KEYS.items():
        if key not in content and default is None:
            raise ProductError(f"{path.name}: {key}: is missing")
        try:
            values[key] = check(content[key]) if key in content else default
        except ValueError as error:
            raise ProductError(f"{path.name}: {key}: {error}") from error
    return Product(**values)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value.strip()) <= 100:
        raise ValueError("must be a printable text of 1 to 100 characters")
    if value != value.strip() or "/" in value:
        raise ValueError("must not have a slash, or spaces around it")
    return value


def _description(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 500 or "\n" in value.strip():
        raise ValueError("must be one line of at most 500 characters")
    return value.strip()


def _sort_key(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1_000_000:
        raise ValueError("must be a whole number")
    return value


def _versions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 20:
        raise ValueError("must be a list of at most 20 versions")
    for version in value:
        if not isinstance(version, str):
            raise ValueError(f"must hold texts: write {str(version)!r} in quotes")
        if not _VERSION.fullmatch(version):
            raise ValueError(f"{version[:60]!r} is neither a version nor {_AUTOMATIC!r}")
    return tuple(value)


def _rules(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 100:
        raise ValueError("must be a list of at most 100 rules")
    for rule in value:
        if not isinstance(rule, str) or not rule.isidentifier():
            raise ValueError(f"{str(rule)[:60]!r} is not the name of a rule")
    return tuple(value)


def _links(value: Any, places: frozenset[str] = frozenset()) -> tuple[Link, ...]:
    if not isinstance(value, list) or not all(_is_pair(item) for item in value):
        raise ValueError("must be a list of [text, address]")
    for _, url in value:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url[:100]!r} does not start with http:// or https://")
        unknown = _places(url) - places
        if unknown:
            raise ValueError(f"{{{min(unknown)}}} cannot be filled in")
    return tuple(Link(text, url) for text, url in value)


def _bug_links(value: Any) -> tuple[Link, ...]:
    return _links(value, BUG_LINK_KEYS)


def _is_pair(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(isinstance(x, str) for x in item)


def _places(template: str) -> set[str]:
    """Return the names in braces. Raises ValueError for braces that do not match."""
    parsed = list(string.Formatter().parse(template))
    if any(spec or conversion for _, _, spec, conversion in parsed):
        raise ValueError("a place to fill in is a bare name in braces")
    return {name for _, name, _, _ in parsed if name is not None}


# What each key is checked with, and what it is where it is missing; None means that it must be
# there.
_KEYS: Mapping[str, tuple[Callable[[Any], Any], Any]] = {
    "name": (_name, None),
    "description": (_description, ""),
    "home_page_sort": (_sort_key, 1000),
    "featured_versions": (_versions, (_AUTOMATIC,)),
    "bug_links": (_bug_links, ()),
    "product_home_links": (_links, ()),
    "rules": (_rules, ()),
}


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return the pairs as a mapping. Raises ValueError where a key stands twice."""
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice} stands there twice")
    return mapping


class _UniqueKeys(yaml.SafeLoader):
    """The safe loader, but a key that stands twice is an error and not the last one's."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping and look at its keys."""
        mapping = super().construct_mapping(node, deep)
        _unique([(self.construct_object(key, deep=True), None) for key, _ in node.value])
        return mapping
