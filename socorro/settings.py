# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Every setting of the system: declared, documented, read and checked in one place.

A setting comes from the environment, else from the file that SOCORRO_CONFIG names (``NAME=value``
lines), else from its default. `$SOCORRO_DATA` in a value stands for the data folder.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

from decouple import Config, RepositoryEmpty, RepositoryEnv

T = TypeVar("T")


class SettingError(Exception):
    """A setting is missing or wrong. The text is one sentence that names the variable."""


def _setting(
    name: str, default: str, parse: Callable[[str], T], doc: str, *, secret: bool = False
) -> T:
    metadata = {"name": name, "default": default, "parse": parse, "doc": doc, "secret": secret}
    # The dataclass field stands in for the value that `load` puts there.
    return cast("T", field(metadata=metadata))


def _number(minimum: float, maximum: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text)
        if not minimum <= value <= maximum:
            raise ValueError(f"must be between {minimum:g} and {maximum:g}")
        return value

    return parse


def _integer(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text.strip()):
            raise ValueError("must be a whole number")
        value = int(text)
        if not minimum <= value <= maximum:
            raise ValueError(f"must be between {minimum} and {maximum}")
        return value

    return parse


def _processors(text: str) -> int:
    if text == "auto":
        return max(1, (os.cpu_count() or 2) - 1)
    return _integer(0, 512)(text)


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be true or false")


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        scheme = text.partition("://")[0]
        if scheme not in schemes or "://" not in text:
            raise ValueError(f"must start with {' or '.join(s + '://' for s in schemes)}")
        return text

    return parse


def _optional(parse: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: parse(text) if text else ""


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _optional_path(text: str) -> Path | None:
    return _path(text) if text else None


_PORT = _integer(1, 65535)
_STORAGE = _url("fs")


@dataclass(frozen=True)
class Settings:
    """The values in force. One instance is made at start by `load` and handed on."""

    data: Path = _setting(
        "SOCORRO_DATA", "./data", _path, "Folder of everything the embedded defaults keep."
    )
    collector_host: str = _setting(
        "COLLECTOR_HOST", "127.0.0.1", str, "Address that the collector listens on."
    )
    collector_port: int = _setting(
        "COLLECTOR_PORT", "8000", _PORT, "Port that the collector listens on."
    )
    collector_workers: int = _setting(
        "COLLECTOR_WORKERS", "2", _integer(1, 512), "Worker processes of the collector."
    )
    collector_threads: int = _setting(
        "COLLECTOR_THREADS",
        "112",
        _integer(2, 2048),
        "Threads of each collector worker; more than MAX_UPLOADS, so that health checks are "
        "answered while uploads are slow.",
    )
    max_uploads: int = _setting(
        "MAX_UPLOADS",
        "100",
        _integer(1, 2048),
        "Reports that each collector worker reads at once; a further one is refused with 503.",
    )
    max_body_size: int = _setting(
        "MAX_BODY_SIZE",
        str(25 * 2**20),
        _integer(1, 2**40),
        "Largest body of a report as it is sent, in bytes; a larger one is refused with 413.",
    )
    max_inflated_size: int = _setting(
        "MAX_INFLATED_SIZE",
        str(100 * 2**20),
        _integer(1, 2**40),
        "Largest body of a report once decompressed, in bytes; a larger one is refused with 413.",
    )
    max_annotations_size: int = _setting(
        "MAX_ANNOTATIONS_SIZE",
        str(25 * 2**20),
        _integer(1, 2**32),
        "Largest size of all annotations of a report together, in bytes; more is refused with 413.",
    )
    max_annotation_size: int = _setting(
        "MAX_ANNOTATION_SIZE",
        str(20 * 2**20),
        _integer(1, 2**32),
        "Largest annotation, in bytes; a report is stored without a larger one, with a note.",
    )
    max_inflation_ratio: int = _setting(
        "MAX_INFLATION_RATIO",
        "200",
        _integer(1, 2**20),
        "Times that a compressed body may grow, once it is larger than INFLATION_RATIO_FROM; "
        "more is refused with 413.",
    )
    inflation_ratio_from: int = _setting(
        "INFLATION_RATIO_FROM",
        str(10 * 2**20),
        _integer(0, 2**40),
        "Inflated size in bytes below which MAX_INFLATION_RATIO is not looked at.",
    )
    max_parts: int = _setting(
        "MAX_PARTS",
        "5000",
        _integer(1, 10**6),
        "Most parts (annotations and files) of a report; more are refused with 400.",
    )
    max_dumps: int = _setting(
        "MAX_DUMPS",
        "250",
        _integer(1, 10**4),
        "Most files (minidumps and attachments) of a report; more are refused with 400.",
    )
    max_part_header_size: int = _setting(
        "MAX_PART_HEADER_SIZE",
        "8192",
        _integer(64, 2**16),
        "Largest header block of a part, in bytes; a larger one is refused with 400.",
    )
    max_json_depth: int = _setting(
        "MAX_JSON_DEPTH",
        "100",
        _integer(1, 500),
        "Deepest nesting of annotations sent as JSON; deeper ones are refused with 400.",
    )
    max_json_digits: int = _setting(
        "MAX_JSON_DIGITS",
        "4300",
        _integer(1, 4300),
        "Most digits of an integer in annotations sent as JSON; more are refused with 400.",
    )
    upload_idle_seconds: float = _setting(
        "UPLOAD_IDLE_SECONDS",
        "30",
        _number(1, 3600),
        "Seconds without a byte after which a request is given up with 408.",
    )
    upload_grace_seconds: float = _setting(
        "UPLOAD_GRACE_SECONDS",
        "60",
        _number(1, 3600),
        "Seconds after which a request must have come at UPLOAD_MIN_RATE on average.",
    )
    upload_min_rate: int = _setting(
        "UPLOAD_MIN_RATE",
        "1000",
        _integer(0, 2**30),
        "Bytes a second below which a long upload is given up with 408.",
    )
    min_free_disk: int = _setting(
        "MIN_FREE_DISK",
        str(256 * 2**20),
        _integer(0, 2**50),
        "Free bytes below which the collector's heartbeat reports that the disk is full.",
    )
    removed_annotations: tuple[str, ...] = _setting(
        "REMOVED_ANNOTATIONS",
        "Email,TelemetryClientId,TelemetryServerURL,TelemetrySessionId",
        _list,
        "Annotations that are never stored, comma-separated; a note in the report says so.",
    )
    submit_uuid_token: str = _setting(
        "SUBMIT_UUID_TOKEN",
        "",
        str,
        "Bearer token that lets a client choose the crash id by a uuid annotation; empty: nobody.",
        secret=True,
    )
    refuse_unauthorized_uuid: bool = _setting(
        "REFUSE_UNAUTHORIZED_UUID",
        "false",
        _flag,
        "Refuse a report with a uuid and no valid token with 401 instead of giving it a new id.",
    )
    webapp_host: str = _setting(
        "WEBAPP_HOST", "127.0.0.1", str, "Address that Crash Stats listens on."
    )
    webapp_port: int = _setting("WEBAPP_PORT", "8001", _PORT, "Port that Crash Stats listens on.")
    webapp_workers: int = _setting(
        "WEBAPP_WORKERS", "1", _integer(1, 512), "Worker processes of Crash Stats."
    )
    webapp_threads: int = _setting(
        "WEBAPP_THREADS", "8", _integer(1, 512), "Threads of each Crash Stats worker."
    )
    webapp_url: str = _setting(
        "WEBAPP_URL",
        "",
        _optional(_url("http", "https")),
        "Public address of Crash Stats, for links; default http://WEBAPP_HOST:WEBAPP_PORT.",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "ALLOWED_HOSTS",
        "",
        _list,
        "Further host names that Crash Stats answers to, comma-separated; * for any.",
    )
    secret_key: str = _setting(
        "SECRET_KEY",
        "",
        str,
        "Key that signs sessions; by default made at first start and kept in the data folder.",
        secret=True,
    )
    processors: int = _setting(
        "PROCESSORS",
        "auto",
        _processors,
        "Number of processor processes; auto is the cores less one, at least 1.",
    )
    crash_storage: str = _setting(
        "CRASH_STORAGE", "fs://$SOCORRO_DATA/crashes", _STORAGE, "Where raw crashes are kept."
    )
    processed_storage: str = _setting(
        "PROCESSED_STORAGE",
        "",
        _optional(_STORAGE),
        "Where processed crashes are kept; by default with the raw ones.",
    )
    crash_queue: str = _setting(
        "CRASH_QUEUE",
        "local://$SOCORRO_DATA/queue",
        _url("local"),
        "The queue between collector and processors.",
    )
    search: str = _setting(
        "SEARCH",
        "embedded://$SOCORRO_DATA/search",
        _url("embedded"),
        "The index that Super Search asks.",
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "sqlite:///$SOCORRO_DATA/socorro.db",
        _url("sqlite"),
        "Database of Crash Stats and cron.",
        secret=True,
    )
    symbols: tuple[str, ...] = _setting(
        "SYMBOLS",
        "",
        _list,
        "Folders of symbols, comma-separated, searched after the store in the data folder.",
    )
    siglists: Path | None = _setting(
        "SIGLISTS", "", _optional_path, "Folder of signature lists; by default those shipped."
    )
    products: Path | None = _setting(
        "PRODUCTS", "", _optional_path, "Folder of product files; by default those shipped."
    )
    stackwalker: str = _setting(
        "STACKWALKER",
        "long-lived",
        _choice("long-lived", "command"),
        "long-lived keeps parsed symbols between crashes; command runs STACKWALKER_COMMAND anew "
        "for each dump.",
    )
    stackwalker_command: str = _setting(
        "STACKWALKER_COMMAND",
        "",
        str,
        "Path of the stackwalker; by default the one built from the sources shipped, or "
        "minidump-stackwalk on PATH for STACKWALKER=command.",
    )
    stackwalker_deadline: float = _setting(
        "STACKWALKER_DEADLINE", "120", _number(1, 3600), "Seconds that one stack walk may take."
    )
    stackwalker_memory: int = _setting(
        "STACKWALKER_MEMORY",
        str(3 * 2**30),
        _integer(2**27, 2**42),
        "Memory limit of a stackwalker in bytes; above it, it is replaced.",
    )
    symbol_budget: int = _setting(
        "SYMBOL_BUDGET",
        str(2**30),
        _integer(2**20, 2**42),
        "Memory that parsed symbols may take in one stackwalker, in bytes.",
    )
    lease_seconds: float = _setting(
        "LEASE_SECONDS",
        "300",
        _number(1, 43200),
        "Time after which a crash that a processor took and did not finish is given to another; "
        "a living processor extends it.",
    )
    max_attempts: int = _setting(
        "MAX_ATTEMPTS",
        "4",
        _integer(1, 100),
        "Times that a crash may end its processor before it is saved with an error note instead.",
    )
    requeue_after: float = _setting(
        "REQUEUE_AFTER",
        "300",
        _number(1, 86400 * 7),
        "Seconds after which a raw crash that is neither processed nor queued is queued again.",
    )
    requeue_days: int = _setting(
        "REQUEUE_DAYS",
        "2",
        _integer(1, 400),
        "Days, today included, whose raw crashes are looked at every minute for missing ones.",
    )
    requeue_sweep_days: int = _setting(
        "REQUEUE_SWEEP_DAYS",
        "14",
        _integer(1, 400),
        "Days, today included, whose raw crashes are looked at once a day for missing ones.",
    )
    log_format: str = _setting(
        "LOG_FORMAT",
        "auto",
        _choice("auto", "text", "json"),
        "text for people, json for machines; auto is text in a terminal, else json.",
    )
    log_level: str = _setting(
        "LOG_LEVEL",
        "INFO",
        _choice("DEBUG", "INFO", "WARNING", "ERROR"),
        "Least level of log lines.",
    )
    statsd_address: str = _setting(
        "STATSD_ADDRESS", "", str, "host:port of a StatsD server that gets the metrics."
    )
    sentry_dsn: str = _setting(
        "SENTRY_DSN", "", str, "Sentry project that gets error reports.", secret=True
    )
    debug: bool = _setting(
        "SOCORRO_DEBUG", "false", _flag, "Reload code and show tracebacks; never in production."
    )

    @property
    def processed_storage_url(self) -> str:
        """URL of the storage of processed crashes."""
        return self.processed_storage or self.crash_storage

    @property
    def webapp_address(self) -> str:
        """Address of Crash Stats for links, without a slash at the end."""
        return (self.webapp_url or address(self.webapp_host, self.webapp_port)).rstrip("/")

    @property
    def collector_address(self) -> str:
        """Address of the collector, without a slash at the end."""
        return address(self.collector_host, self.collector_port)

    @property
    def symbol_store(self) -> Path:
        """Folder of the symbols that operators add; always searched first."""
        return self.data / "symbols"

    @property
    def symbol_folders(self) -> tuple[Path, ...]:
        """All folders of symbols in the order in which they are searched."""
        return (self.symbol_store, *(_path(folder) for folder in self.symbols))


@dataclass(frozen=True)
class Described:
    """One setting as `describe` shows it; `value` is masked when it is a secret."""

    name: str
    value: str
    default: str
    source: str
    doc: str


def address(host: str, port: int) -> str:
    """Return the http address that a client on this machine uses for a listening socket."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def load() -> Settings:
    """Read and check all settings. Raises SettingError."""
    reader = _Reader()
    data = reader.text(_declared("data"))
    values = {item.name: reader.value(item, data) for item in fields(Settings)}
    return Settings(**values)


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
    """Hide the credentials inside a URL; other values stay as they are."""
    if "://" not in value or "@" not in value:
        return value
    parts = urlsplit(value)
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))


def mask_secret(value: str) -> str:
    """Hide a secret: a URL without credentials stays readable, anything else is stars."""
    if value.startswith("sqlite://"):
        return value
    if value.startswith(("postgres://", "postgresql://")):
        return mask(value)
    return "***" if value else ""


def secret_key(settings: Settings) -> str:
    """Return SECRET_KEY, or the key in the data folder, which is made at first use.

    Raises SettingError when it can be neither read nor made.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.data / "secret_key"
    try:
        if not path.exists():
            _make_key(path)
        return _read_key(path)
    except OSError as error:
        raise SettingError(f"SECRET_KEY: cannot keep a key in the data folder: {error}.") from error


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as key_file:
            key_file.write(secrets.token_urlsafe(48))
        # Of several processes that start at once one makes the key, and none sees half of it.
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()


def _read_key(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < 40:
        raise SettingError(f"SECRET_KEY: {path} is empty or cut; delete it to have a new one made.")
    return key


def _declared(attribute: str) -> Any:
    return next(item for item in fields(Settings) if item.name == attribute)


def _expand(text: str, data: str) -> str:
    return text.replace("$SOCORRO_DATA", str(_path(data)))


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
