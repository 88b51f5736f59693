# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Every setting of the system: its name, default, check and description, once each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeVar, cast

from socorro.queue import QueueName, open_queue
from socorro.settings.parsers import (
    choice,
    comma_list,
    database_url,
    flag,
    integer,
    networks,
    number,
    opened_by,
    optional,
    optional_path,
    path,
    processors,
    queues,
    rate,
    symbol_headers,
    symbol_sources,
    url,
    workers,
)
from socorro.storage import open_storage
from socorro.symbol_server import SymbolServer, is_address, parse_server

T = TypeVar("T")


class SettingError(Exception):
    """A setting is missing or wrong. The text is one sentence that names the variable."""


def _setting(
    name: str, default: str, parse: Callable[[str], T], doc: str, *, secret: bool = False
) -> T:
    metadata = {"name": name, "default": default, "parse": parse, "doc": doc, "secret": secret}
    # The dataclass field stands in for the value that `load` puts there.
    return cast("T", field(metadata=metadata))


_PORT = integer(1, 65535)
# The backends know best which URLs they take; opening one touches nothing yet.
_STORAGE = opened_by(open_storage)
_QUEUE = opened_by(partial(open_queue, lease_seconds=1))


@dataclass(frozen=True)
class Settings:
    """The values in force. One instance is made at start by `load` and handed on."""

    data: Path = _setting(
        "SOCORRO_DATA", "./data", path, "Folder of everything the embedded defaults keep."
    )
    collector_host: str = _setting(
        "COLLECTOR_HOST", "127.0.0.1", str, "Address that the collector listens on."
    )
    collector_port: int = _setting(
        "COLLECTOR_PORT", "8000", _PORT, "Port that the collector listens on."
    )
    collector_workers: int = _setting(
        "COLLECTOR_WORKERS",
        "auto",
        workers,
        "Worker processes of the collector; auto is one for each core, at least 2.",
    )
    collector_threads: int = _setting(
        "COLLECTOR_THREADS",
        "112",
        integer(2, 2048),
        "Threads of each collector worker; more than MAX_UPLOADS, so that health checks are "
        "answered while uploads are slow.",
    )
    max_uploads: int = _setting(
        "MAX_UPLOADS",
        "100",
        integer(1, 2048),
        "Reports that each collector worker reads at once; a further one is refused with 503.",
    )
    max_body_size: int = _setting(
        "MAX_BODY_SIZE",
        str(25 * 2**20),
        integer(1, 2**40),
        "Largest body of a report as it is sent, in bytes; a larger one is refused with 413.",
    )
    max_inflated_size: int = _setting(
        "MAX_INFLATED_SIZE",
        str(100 * 2**20),
        integer(1, 2**40),
        "Largest body of a report once decompressed, in bytes; a larger one is refused with 413.",
    )
    max_annotations_size: int = _setting(
        "MAX_ANNOTATIONS_SIZE",
        str(25 * 2**20),
        integer(1, 2**32),
        "Largest size of all annotations of a report together, in bytes; more is refused with 413.",
    )
    max_annotation_size: int = _setting(
        "MAX_ANNOTATION_SIZE",
        str(20 * 2**20),
        integer(1, 2**32),
        "Largest annotation, in bytes; a report is stored without a larger one, with a note.",
    )
    max_inflation_ratio: int = _setting(
        "MAX_INFLATION_RATIO",
        "200",
        integer(1, 2**20),
        "Times that a compressed body may grow, once it is larger than INFLATION_RATIO_FROM; "
        "more is refused with 413.",
    )
    inflation_ratio_from: int = _setting(
        "INFLATION_RATIO_FROM",
        str(10 * 2**20),
        integer(0, 2**40),
        "Inflated size in bytes below which MAX_INFLATION_RATIO is not looked at.",
    )
    max_parts: int = _setting(
        "MAX_PARTS",
        "5000",
        integer(1, 10**6),
        "Most parts (annotations and files) of a report; more are refused with 400.",
    )
    max_dumps: int = _setting(
        "MAX_DUMPS",
        "250",
        integer(1, 10**4),
        "Most files (minidumps and attachments) of a report; more are refused with 400.",
    )
    max_part_header_size: int = _setting(
        "MAX_PART_HEADER_SIZE",
        "8192",
        integer(64, 2**16),
        "Largest header block of a part, in bytes; a larger one is refused with 400.",
    )
    max_request_line: int = _setting(
        "MAX_REQUEST_LINE",
        "4094",
        integer(128, 2**16),
        "Longest first line of a request, with its query string, in bytes; a longer one is "
        "refused with 400.",
    )
    max_headers: int = _setting(
        "MAX_HEADERS",
        "100",
        integer(8, 2**15),
        "Most header fields of a request; more are refused with 431.",
    )
    max_header_size: int = _setting(
        "MAX_HEADER_SIZE",
        "8190",
        integer(128, 2**20),
        "Largest header field of a request, in bytes; a larger one is refused with 431.",
    )
    max_head_size: int = _setting(
        "MAX_HEAD_SIZE",
        "65536",
        integer(1024, 2**24),
        "Largest head of a request, its first line and all header fields together, in bytes; a "
        "larger one is refused with 431.",
    )
    max_json_depth: int = _setting(
        "MAX_JSON_DEPTH",
        "100",
        integer(1, 500),
        "Deepest nesting of annotations sent as JSON; deeper ones are refused with 400.",
    )
    max_json_digits: int = _setting(
        "MAX_JSON_DIGITS",
        "4300",
        integer(1, 4300),
        "Most digits of an integer in annotations sent as JSON; more are refused with 400.",
    )
    upload_idle_seconds: float = _setting(
        "UPLOAD_IDLE_SECONDS",
        "30",
        number(1, 3600),
        "Seconds without a byte after which a request is given up with 408.",
    )
    upload_grace_seconds: float = _setting(
        "UPLOAD_GRACE_SECONDS",
        "60",
        number(1, 3600),
        "Seconds after which a request must have come at UPLOAD_MIN_RATE on average.",
    )
    upload_min_rate: int = _setting(
        "UPLOAD_MIN_RATE",
        "1000",
        integer(0, 2**30),
        "Bytes a second below which a long upload is given up with 408.",
    )
    min_free_disk: int = _setting(
        "MIN_FREE_DISK",
        str(256 * 2**20),
        integer(0, 2**50),
        "Free bytes below which the disk counts as full: the collector's heartbeat reports it, and "
        "processors take no crash.",
    )
    rate_limit: str = _setting(
        "RATE_LIMIT",
        "",
        optional(rate),
        "Reports that one collector takes in all, such as 3000/minute; further ones are refused "
        "with 429 and Retry-After. Empty: no limit.",
    )
    rate_limit_per_product: str = _setting(
        "RATE_LIMIT_PER_PRODUCT",
        "",
        optional(rate),
        "As RATE_LIMIT, for each product by itself.",
    )
    rate_limit_per_address: str = _setting(
        "RATE_LIMIT_PER_ADDRESS",
        "",
        optional(rate),
        "As RATE_LIMIT, for each client address by itself. Addresses are held in memory only.",
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _setting(
        "TRUSTED_PROXIES",
        "",
        networks,
        "Addresses or networks of proxies before the collector, comma-separated: from these, "
        "X-Forwarded-For says which address RATE_LIMIT_PER_ADDRESS is about.",
    )
    operator_token: str = _setting(
        "OPERATOR_TOKEN",
        "",
        str,
        "Token for the collector's /__broken__ and, when set, /metrics: as a bearer token or as "
        "the password of basic authentication. Empty: nobody gets at /__broken__, and /metrics is "
        "open.",
        secret=True,
    )
    throttle_rules: Path | None = _setting(
        "THROTTLE_RULES",
        "",
        optional_path,
        "File of throttle rules; by default every report is accepted.",
    )
    removed_annotations: tuple[str, ...] = _setting(
        "REMOVED_ANNOTATIONS",
        "Email,TelemetryClientId,TelemetryServerURL,TelemetrySessionId",
        comma_list,
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
        flag,
        "Refuse a report with a uuid and no valid token with 401 instead of giving it a new id.",
    )
    webapp_host: str = _setting(
        "WEBAPP_HOST", "127.0.0.1", str, "Address that Crash Stats listens on."
    )
    webapp_port: int = _setting("WEBAPP_PORT", "8001", _PORT, "Port that Crash Stats listens on.")
    webapp_workers: int = _setting(
        "WEBAPP_WORKERS", "1", integer(1, 512), "Worker processes of Crash Stats."
    )
    webapp_threads: int = _setting(
        "WEBAPP_THREADS", "8", integer(1, 512), "Threads of each Crash Stats worker."
    )
    webapp_url: str = _setting(
        "WEBAPP_URL",
        "",
        optional(url("http", "https")),
        "Public address of Crash Stats, for links; default http://WEBAPP_HOST:WEBAPP_PORT.",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "ALLOWED_HOSTS",
        "",
        comma_list,
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
        processors,
        "Number of processor processes; auto is the cores less one, at least 1.",
    )
    processor_queues: tuple[QueueName, ...] = _setting(
        "PROCESSOR_QUEUES",
        ",".join(QueueName),
        queues,
        "Which queues a processor takes crashes from. It always prefers priority to standard and "
        "standard to reprocessing; processors that leave one out are kept free for the others.",
    )
    processor_rules: tuple[str, ...] = _setting(
        "PROCESSOR_RULES",
        "",
        comma_list,
        "Python modules with own rules of processing, comma-separated; each has a list RULES.",
    )
    version_string_api: str = _setting(
        "VERSION_STRING_API",
        "",
        optional(url("http", "https")),
        "Address of the API that knows which version a build of a beta is; by default the "
        "VersionString of this Crash Stats.",
    )
    crash_storage: str = _setting(
        "CRASH_STORAGE",
        "fs://$SOCORRO_DATA/crashes",
        _STORAGE,
        "Where raw crashes are kept: fs://FOLDER or s3://BUCKET?endpoint=URL&region=NAME.",
    )
    processed_storage: str = _setting(
        "PROCESSED_STORAGE",
        "",
        optional(_STORAGE),
        "Where processed crashes are kept; by default with the raw ones.",
    )
    fallback_storage: str = _setting(
        "FALLBACK_STORAGE",
        "",
        optional(_STORAGE),
        "Where the collector keeps reports while CRASH_STORAGE fails, until they are moved home; "
        "empty: nowhere, and clients are told to keep their reports.",
    )
    telemetry_storage: str = _setting(
        "TELEMETRY_STORAGE",
        "fs://$SOCORRO_DATA/telemetry",
        optional(_STORAGE),
        "Where the publicly safe part of each processed crash is exported to; empty: nowhere.",
    )
    crash_queue: str = _setting(
        "CRASH_QUEUE",
        "local://$SOCORRO_DATA/queue",
        _QUEUE,
        "The queue between collector and processors: local://FOLDER or "
        "sqs://PREFIX?endpoint=URL&region=NAME, whose queues are PREFIX-standard, PREFIX-priority "
        "and PREFIX-reprocessing, each settable by an option of its name.",
    )
    reprocess_api_token: str = _setting(
        "SOCORRO_REPROCESS_API_TOKEN",
        "",
        str.strip,
        "Token of another installation's API, for `socorro reprocess --host`.",
        secret=True,
    )
    unpublished: Path = _setting(
        "UNPUBLISHED",
        "$SOCORRO_DATA/unpublished",
        path,
        "Folder where the collector keeps crash ids while CRASH_QUEUE cannot be reached.",
    )
    search: str = _setting(
        "SEARCH",
        "embedded://$SOCORRO_DATA/search",
        url("embedded"),
        "The index that Super Search asks.",
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "sqlite:///$SOCORRO_DATA/socorro.db",
        database_url,
        "Database of Crash Stats and cron: sqlite:///FILE or postgres://USER:PASSWORD@HOST/NAME.",
        secret=True,
    )
    symbols: tuple[str, ...] = _setting(
        "SYMBOLS",
        "",
        symbol_sources,
        "Folders and servers of symbols, comma-separated, searched after the store in the data "
        "folder, folders first; a server is https://USER:PASSWORD@HOST/PATH, its credentials are "
        "optional.",
    )
    symbols_headers: tuple[tuple[str, str, str], ...] = _setting(
        "SYMBOLS_HEADERS",
        "",
        symbol_headers,
        "Headers that servers of symbols want, comma-separated, each HOST=NAME: VALUE, such as "
        "symbols.example.com=Auth-Token: abc.",
        secret=True,
    )
    symbols_cache: Path = _setting(
        "SYMBOLS_CACHE",
        "$SOCORRO_DATA/symbols-cache",
        path,
        "Folder in which symbols of servers are kept; all processors of a machine may share it.",
    )
    symbols_cache_size: int = _setting(
        "SYMBOLS_CACHE_SIZE",
        str(10 * 2**30),
        integer(2**20, 2**50),
        "Bytes that SYMBOLS_CACHE may take; what was not used the longest makes room.",
    )
    symbols_timeout: float = _setting(
        "SYMBOLS_TIMEOUT",
        "120",
        number(1, 3600),
        "Seconds that the download of one symbol file may take.",
    )
    symbols_wait: float = _setting(
        "SYMBOLS_WAIT",
        "20",
        number(0, 3600),
        "Seconds that a stack walk waits for symbols of servers, at most half of "
        "STACKWALKER_DEADLINE; longer downloads go on for later crashes.",
    )
    symbols_downloads: int = _setting(
        "SYMBOLS_DOWNLOADS",
        "4",
        integer(1, 64),
        "Downloads that a processor makes from one server at the same time.",
    )
    symbols_missing_seconds: float = _setting(
        "SYMBOLS_MISSING_SECONDS",
        "3600",
        number(0, 30 * 86400),
        "Time for which symbols that a server does not have are not asked for again.",
    )
    siglists: Path | None = _setting(
        "SIGLISTS", "", optional_path, "Folder of signature lists; by default those shipped."
    )
    signature_rules: tuple[str, ...] = _setting(
        "SIGNATURE_RULES",
        "",
        comma_list,
        "Own rules of signature generation, comma-separated, each module:function.",
    )
    fields: Path | None = _setting(
        "FIELDS",
        "",
        optional_path,
        "Folder of YAML files with own fields and annotations, beside those shipped.",
    )
    products: Path | None = _setting(
        "PRODUCTS", "", optional_path, "Folder of product files; by default those shipped."
    )
    stackwalker: str = _setting(
        "STACKWALKER",
        "long-lived",
        choice("long-lived", "command"),
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
        "STACKWALKER_DEADLINE", "120", number(1, 3600), "Seconds that one stack walk may take."
    )
    stackwalker_memory: int = _setting(
        "STACKWALKER_MEMORY",
        str(3 * 2**30),
        integer(2**27, 2**42),
        "Memory limit of a stackwalker in bytes; above it, it is replaced.",
    )
    symbol_budget: int = _setting(
        "SYMBOL_BUDGET",
        str(2**30),
        integer(2**20, 2**42),
        "Memory that parsed symbols may take in one stackwalker, in bytes.",
    )
    lease_seconds: float = _setting(
        "LEASE_SECONDS",
        "300",
        number(1, 43200),
        "Time after which a crash that a processor took and did not finish is given to another; "
        "a living processor extends it.",
    )
    max_attempts: int = _setting(
        "MAX_ATTEMPTS",
        "4",
        integer(1, 100),
        "Times that a crash may end its processor before it is saved with an error note instead.",
    )
    requeue_after: float = _setting(
        "REQUEUE_AFTER",
        "300",
        number(1, 86400 * 7),
        "Seconds after which a raw crash that is neither processed nor queued is queued again.",
    )
    requeue_days: int = _setting(
        "REQUEUE_DAYS",
        "2",
        integer(1, 400),
        "Days, today included, whose raw crashes are looked at every minute for missing ones.",
    )
    requeue_sweep_days: int = _setting(
        "REQUEUE_SWEEP_DAYS",
        "14",
        integer(1, 400),
        "Days, today included, whose raw crashes are looked at once a day for missing ones.",
    )
    stop_seconds: float = _setting(
        "STOP_SECONDS",
        "20",
        number(0, 3600),
        "Seconds that a processor, asked to stop, may go on with the crash in work before it gives "
        "it back to the queue.",
    )
    log_format: str = _setting(
        "LOG_FORMAT",
        "auto",
        choice("auto", "text", "json"),
        "text for people, json for machines; auto is text in a terminal, else json.",
    )
    log_level: str = _setting(
        "LOG_LEVEL",
        "INFO",
        choice("DEBUG", "INFO", "WARNING", "ERROR"),
        "Least level of log lines.",
    )
    statsd_address: str = _setting(
        "STATSD_ADDRESS", "", str, "host:port of a StatsD server that gets the metrics."
    )
    sentry_dsn: str = _setting(
        "SENTRY_DSN", "", str, "Sentry project that gets error reports.", secret=True
    )
    debug: bool = _setting(
        "SOCORRO_DEBUG", "false", flag, "Reload code and show tracebacks; never in production."
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
    def version_string_address(self) -> str:
        """Address of the API of versions; the local Crash Stats is asked without a detour."""
        local = address(self.webapp_host, self.webapp_port)
        return self.version_string_api or f"{local}/api/VersionString/"

    @property
    def collector_address(self) -> str:
        """Address of the collector, without a slash at the end."""
        return address(self.collector_host, self.collector_port)

    @property
    def recent_reports(self) -> Path:
        """Folder in which the collector remembers the reports of a day, to know duplicates."""
        return self.data / "recent"

    @property
    def symbol_store(self) -> Path:
        """Folder of the symbols that operators add; always searched first."""
        return self.data / "symbols"

    @property
    def symbol_folders(self) -> tuple[Path, ...]:
        """All folders of symbols in the order in which they are searched."""
        folders = (path(source) for source in self.symbols if not is_address(source))
        return (self.symbol_store, *folders)

    @property
    def symbol_servers(self) -> tuple[SymbolServer, ...]:
        """The servers of symbols in the order in which they are asked."""
        servers = (source for source in self.symbols if is_address(source))
        return tuple(parse_server(server, self.symbols_headers) for server in servers)


def address(host: str, port: int) -> str:
    """Return the http address that a client on this machine uses for a listening socket."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
