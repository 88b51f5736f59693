# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a report page shows of one crash, taken from its processed and its raw crash."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socorro.fields import public_raw_crash
from webapp.crashstats.links import exactly, search_url, signature_url, window_around
from webapp.crashstats.modules import Module, modules_of
from webapp.crashstats.stack import Thread, threads_of
from webapp.crashstats.values import (
    any_text,
    duration,
    integer,
    mapping,
    moment,
    text,
)

# Keys that the collector adds to the annotations; the page shows what they say elsewhere.
_COLLECTOR_KEYS = frozenset({"metadata", "submitted_timestamp", "uuid", "version"})
_STACKWALK_FINE = frozenset({"", "OK"})


@dataclass(frozen=True)
class Fact:
    """One line of the summary. `url` finds crashes with the same value."""

    label: str
    value: str = ""
    code: bool = False
    when: datetime | None = None
    url: str = ""


@dataclass(frozen=True)
class Report:
    """A crash, ready to be shown; of protected data only what the viewer may see is in it."""

    crash_id: str
    signature: str
    signature_url: str
    product: str
    version: str
    platform: str
    date: datetime | None
    facts: tuple[Fact, ...]
    comment: str
    threads: tuple[Thread, ...]
    modules: tuple[Module, ...]
    unloaded: tuple[Module, ...]
    annotations: tuple[tuple[str, str], ...]
    protected_annotations: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    stackwalk_problem: str
    failed: bool

    @property
    def crashed(self) -> Thread | None:
        """Return the crashing thread, if the walk found it."""
        return next((thread for thread in self.threads if thread.crashed), None)

    @property
    def others(self) -> tuple[Thread, ...]:
        """Return the threads that did not crash."""
        return tuple(thread for thread in self.threads if not thread.crashed)

    @property
    def missing_symbols(self) -> tuple[Module, ...]:
        """Return the modules on the stacks whose symbols nobody added."""
        return tuple(module for module in self.modules if module.symbols == "missing")


def report_of(crash_id: str, processed: Mapping[str, Any], raw: Mapping[str, Any]) -> Report:
    """Return what to show. Both crashes hold only what the viewer may see."""
    dump = mapping(processed.get("json_dump"))
    signature = text(processed.get("signature"))
    date = moment(processed.get("date_processed"))
    status = text(processed.get("mdsw_status_string"))
    public = public_raw_crash(raw)
    return Report(
        crash_id=crash_id,
        signature=signature,
        signature_url=signature_url(signature, date) if signature else "",
        product=text(processed.get("product")),
        version=text(processed.get("version")),
        platform=text(processed.get("os_pretty_version")) or text(processed.get("os_name")),
        date=date,
        facts=tuple(_facts(processed, date)),
        comment=text(processed.get("user_comments")),
        threads=threads_of(dump, integer(processed.get("crashing_thread"))),
        modules=modules_of(dump),
        unloaded=modules_of(dump, "unloaded_modules"),
        annotations=_annotations(public),
        protected_annotations=_annotations(
            {name: value for name, value in raw.items() if name not in public}
        ),
        notes=tuple(line for line in text(processed.get("processor_notes")).splitlines() if line),
        stackwalk_problem="" if status in _STACKWALK_FINE else status,
        failed=processed.get("success") is False,
    )


def _facts(processed: Mapping[str, Any], date: datetime | None) -> Iterator[Fact]:
    """Yield the summary, what an engineer asks first at its top; what is unknown is left out."""

    def same(field: str, value: str) -> str:
        return search_url([exactly(field, value), *window_around(date)])

    def known(label: str, value: str, url: str = "", *, code: bool = False) -> Iterator[Fact]:
        if value:
            yield Fact(label, value, code=code, url=url)

    reason = text(processed.get("reason"))
    yield from known("Reason", reason, same("reason", reason))
    yield from known("Assertion", text(processed.get("moz_crash_reason")))
    yield from known("Address", text(processed.get("address")), code=True)
    yield from known("Last error", text(processed.get("last_error_value")), code=True)
    product, version = text(processed.get("product")), text(processed.get("version"))
    yield from known("Product", product, same("product", product))
    yield from known("Version", version, same("version", version))
    yield from known("Release channel", text(processed.get("release_channel")))
    yield from known("Build", text(processed.get("build")), code=True)
    system = text(processed.get("os_name"))
    yield from known("Operating system", _system(processed), same("platform", system))
    yield from known("Processor", _processor(processed))
    yield from known("Process", text(processed.get("process_type")))
    yield from _times(processed, date)


def _times(processed: Mapping[str, Any], date: datetime | None) -> Iterator[Fact]:
    crashed = moment(processed.get("client_crash_date"))
    if crashed and crashed != date:
        yield Fact("Crashed", when=crashed)
    if date:
        yield Fact("Received", when=date)
    for label, field in (("Uptime", "uptime"), ("Install age", "install_age")):
        seconds = integer(processed.get(field))
        if seconds is not None:
            yield Fact(label, duration(seconds))


def _system(processed: Mapping[str, Any]) -> str:
    pretty = text(processed.get("os_pretty_version"))
    name, version = text(processed.get("os_name")), text(processed.get("os_version"))
    if pretty and pretty != name:
        return f"{pretty} ({version})" if version else pretty
    return f"{name} {version}".strip()


def _processor(processed: Mapping[str, Any]) -> str:
    count = integer(processed.get("cpu_count"))
    cores = f"{count} {'core' if count == 1 else 'cores'}" if count else ""
    parts = (text(processed.get("cpu_arch")), text(processed.get("cpu_info")), cores)
    return ", ".join(part for part in parts if part)


def _annotations(raw: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    names = sorted((name for name in raw if name not in _COLLECTOR_KEYS), key=str.casefold)
    return tuple((text(name), any_text(raw[name])) for name in names)
