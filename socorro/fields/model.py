# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the registry holds: annotations, fields of a processed crash, and how they are searched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from socorro.fields.shape import Shape

FieldType = Literal["string", "integer", "number", "boolean", "object", "array"]
QueryType = Literal["enum", "string", "integer", "float", "boolean", "date"]
StorageType = Literal[
    "keyword", "text", "semicolon", "long", "integer", "short", "double", "boolean", "date"
]
Validation = Literal["enum", "str", "int", "float", "bool", "datetime"]

FIELD_TYPES: frozenset[str] = frozenset(get_args(FieldType))
QUERY_TYPES: frozenset[str] = frozenset(get_args(QueryType))
STORAGE_TYPES: frozenset[str] = frozenset(get_args(StorageType))

_VALIDATION: dict[QueryType, Validation] = {
    "enum": "enum",
    "string": "str",
    "integer": "int",
    "float": "float",
    "boolean": "bool",
    "date": "datetime",
}


@dataclass(frozen=True)
class SearchField:
    """A field of Super Search.

    `path` is the dotted path of the value in a processed crash. `storage` says how it is indexed:
    ``keyword`` as one exact value, ``text`` by words and as one exact value, ``semicolon`` as the
    exact values between semicolons, without regard to case. `has_full` is true where words and
    the exact value differ. A field that is not `exposed` is for the system's own queries; one that
    is not `returned` can be asked for but not shown. `null_value` is what an explicit null means.
    One of `many` values can match a filter; only such fields take lists.
    """

    name: str
    path: str
    query_type: QueryType
    storage: StorageType
    protected: bool = False
    description: str = ""
    exposed: bool = True
    returned: bool = True
    null_value: bool | None = None
    many: bool = False
    choices: tuple[str, ...] = ()

    @property
    def has_full(self) -> bool:
        """Whether the words and the exact value are indexed apart."""
        return self.storage == "text"

    @property
    def validation(self) -> Validation:
        """Kind of values and operators that a query may use."""
        return "bool" if self.storage == "boolean" else _VALIDATION[self.query_type]

    @property
    def is_number(self) -> bool:
        """Whether values are numbers (a date is not)."""
        return self.storage in ("long", "integer", "short", "double")


@dataclass(frozen=True)
class Telemetry:
    """How a field is exported: its name there, whether as text, and which parts of an object.

    `paths` are dotted paths below the field, arrays left out; empty means all that is public. Of
    them, `not_null` are scalars that are left out rather than exported as null. `former` are paths
    that the export's schema keeps although nothing writes them any more, with their shape.
    """

    name: str
    to_string: bool = False
    paths: tuple[str, ...] = ()
    not_null: tuple[str, ...] = ()
    former: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True)
class FormerExport:
    """A name that the schema of the telemetry export keeps although nothing writes it any more."""

    name: str
    shape: Shape
    description: str
    to_string: bool = False


@dataclass(frozen=True)
class Provenance:
    """Who sends a value, and who agreed that it is collected.

    `products` are the names of the products that send it (empty: any), `bugs` and `data_reviews`
    are addresses, `examples` are values as they may look.
    """

    products: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()
    data_reviews: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A field of a processed crash.

    `annotation` names the annotation that it is copied from; `default` is its value when the
    annotation is missing (None: the field is then missing too). Every processed crash has a field
    that is there `always`. `search_within` are the search fields of parts of an object.
    """

    name: str
    type: FieldType
    nullable: bool
    protected: bool
    description: str
    shape: Shape
    annotation: str | None = None
    default: Any = None
    telemetry: Telemetry | None = None
    search: SearchField | None = None
    search_within: tuple[SearchField, ...] = ()
    deprecated: bool = False
    always: bool = False
    provenance: Provenance = Provenance()

    @property
    def searches(self) -> tuple[SearchField, ...]:
        """All search fields of the field and of its parts."""
        return (*((self.search,) if self.search else ()), *self.search_within)


@dataclass(frozen=True)
class Annotation:
    """A known annotation of a raw crash. Clients send texts; what the collector adds has types."""

    name: str
    type: FieldType
    nullable: bool
    protected: bool
    description: str
    deprecated: bool = False
    provenance: Provenance = Provenance()
