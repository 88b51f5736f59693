# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A crash with a mark in everything protected goes its whole way; nobody else sees a mark.

Looked at: the telemetry export, the public views, pages and API, the public fields of the index,
notes, logs in both formats and at every level, metrics and reports to Sentry.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from jsonschema import Draft202012Validator
from markus.testing import MetricsMock

from processor.crash import Crash
from processor.pipeline import Pipeline
from processor.rules.base import Rule
from processor.rules.identity import Identifiers
from processor.ruleset import make_rulesets
from processor.work import Storages, Worker
from socorro.fields import (
    ANNOTATIONS,
    FIELDS,
    SEARCH_FIELDS,
    Field,
    public_processed_crash,
    public_raw_crash,
    search_document,
)
from socorro.fields.schemas import processed_crash_schema, telemetry_crash_schema
from socorro.logging import MozlogFormatter, TextFormatter
from socorro.queue import QueueName, Task
from socorro.signing import load_signer
from socorro.storage import FilesystemStorage
from tests.sentry_mailbox import reports_kept
from tests.webapp.crashes import Crashes
from tests.webapp.marked_crash import (
    MARK,
    MarkedWalkers,
    annotations,
    dumps,
    mark,
    protected_fields,
)
from webapp.crashstats import handles

pytestmark = pytest.mark.usefixtures("each_database")

PAGES = (
    "/",
    "/report/index/{id}",
    "/report/signature/{id}",
    "/api/ProcessedCrash/?crash_id={id}&datatype=processed",
    "/api/RawCrash/?crash_id={id}&format=meta",
    "/search/?_facets=url&_facets=user_comments&_columns=url",
    "/documentation/datadictionary/dataset/processed/field/url",
    "/documentation/datadictionary/dataset/processed/field/collector_metadata",
)
# Protected fields that a report that is well cannot have.
ONLY_OF_BROKEN_REPORTS = {"memory_report_error"}


class Raises(Rule):
    """Fails with a protected value in the text of its exception, and of the one behind it."""

    def act(self, crash: Crash) -> Mapping[str, Any]:
        try:
            raise KeyError(crash.annotations.get("URL"))
        except KeyError as error:
            crash.note(f"a note of a rule that fails is taken back: {crash.annotations}")
            raise ValueError(f"bad value {crash.annotations}") from error


@dataclass
class Seen:
    """What a crash left behind outside of storage."""

    logs: str
    metrics: str
    sentry: str


@contextmanager
def all_logs() -> Iterator[list[io.StringIO]]:
    """Catch what both log formats make of every record of every level."""
    root = logging.getLogger()
    level = root.level
    streams = [io.StringIO(), io.StringIO()]
    handlers = [logging.StreamHandler(stream) for stream in streams]
    for handler, formatter in zip(handlers, (MozlogFormatter, TextFormatter), strict=True):
        handler.setFormatter(formatter("processor"))
    # Before pytest's own: the first formatter of a record keeps what it makes of an exception.
    root.handlers[:0] = handlers
    root.setLevel(logging.DEBUG)
    try:
        yield streams
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)


@pytest.fixture
def rulesets() -> dict[str, Pipeline]:
    """The rulesets of this program, with a stackwalker that finds marks."""
    walkers: Any = MarkedWalkers()
    return make_rulesets(walkers, load_signer(django_settings.SOCORRO))


@pytest.fixture
def telemetry(tmp_path: Path) -> FilesystemStorage:
    return FilesystemStorage(tmp_path / "telemetry")


@pytest.fixture
def process(
    tmp_path: Path, telemetry: FilesystemStorage, rulesets: dict[str, Pipeline]
) -> Callable[..., Seen]:
    """Process a stored crash as the processor does; return what others could see of it."""

    def run(crash_id: str, ruleset: Pipeline | None = None) -> Seen:
        queue = handles.queue()
        queue.publish(QueueName.STANDARD, [Task(crash_id)])
        (message,) = queue.receive(1, wait=0)
        worker = Worker(
            storages=Storages(
                raw=handles.raw_storage(),
                processed=handles.processed_storage(),
                telemetry=telemetry,
            ),
            queue=queue,
            index=handles.index(),
            rulesets=rulesets | ({"default": ruleset} if ruleset else {}),
            max_attempts=2,
            work_folder=tmp_path,
        )
        settings = django_settings.SOCORRO
        with MetricsMock() as metrics, all_logs() as logs, reports_kept(settings, "p") as mailbox:
            assert worker.settle(message)
        return Seen(
            "".join(stream.getvalue() for stream in logs),
            str([(record.key, record.value, record.tags) for record in metrics.get_records()]),
            json.dumps(mailbox.events()),
        )

    return run


def marks_in(text: str) -> list[str]:
    """Return the marks in a text, each with the place that it came from."""
    return [f"{MARK}{part.split('Qz')[0]}" for part in text.split(MARK)[1:]]


def public_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a search document has in public fields."""
    return {name: value for name, value in document.items() if not SEARCH_FIELDS[name].protected}


def test_nothing_protected_is_where_others_can_see_it(
    client: Client,
    crashes: Crashes,
    process: Callable[..., Seen],
    telemetry: FilesystemStorage,
) -> None:
    crash_id = crashes.report(annotations(), dumps())
    seen = process(crash_id)
    crashes.index(crash_id)
    processed = handles.processed_storage().load_processed_crash(crash_id)
    raw = handles.raw_storage().load_raw_crash(crash_id)
    exported = telemetry.load_telemetry_crash(crash_id)
    others_see = {
        "telemetry export": json.dumps(exported),
        "public processed crash": json.dumps(public_processed_crash(processed)),
        "public raw crash": json.dumps(public_raw_crash(raw)),
        "public fields of the index": json.dumps(public_part(search_document(processed))),
        "notes": processed["processor_notes"],
        "logs": seen.logs,
        "metrics": seen.metrics,
        "sentry": seen.sentry,
        **{page: client.get(page.format(id=crash_id)).content.decode() for page in PAGES},
    }
    assert {place: marks_in(text) for place, text in others_see.items()} == {
        place: [] for place in others_see
    }


def test_what_is_protected_was_there_to_be_leaked(
    crashes: Crashes,
    process: Callable[..., Seen],
    telemetry: FilesystemStorage,
) -> None:
    crash_id = crashes.report(annotations(), dumps())
    process(crash_id)
    processed = handles.processed_storage().load_processed_crash(crash_id)
    assert protected_fields() - processed.keys() == ONLY_OF_BROKEN_REPORTS
    everything = json.dumps(processed)
    for place in ("register", "stack memory", "boot args", "java value", "user agent", "stderr"):
        assert mark(place) in everything, place
    assert telemetry.load_telemetry_crash(crash_id)["uuid"] == crash_id
    assert Draft202012Validator(processed_crash_schema()).is_valid(processed)
    assert Draft202012Validator(telemetry_crash_schema()).is_valid(
        telemetry.load_telemetry_crash(crash_id)
    )


def test_no_value_of_a_malformed_report_is_in_notes_logs_metrics_or_sentry(
    crashes: Crashes, process: Callable[..., Seen]
) -> None:
    malformed = {name: mark(name) for name in ANNOTATIONS if name[0].isupper()}
    crash_id = crashes.report(malformed, {"memory_report": mark("report").encode()})
    seen = process(crash_id)
    processed = handles.processed_storage().load_processed_crash(crash_id)
    assert "InstallTime has a non-int value" in processed["processor_notes"]
    # Public texts stand in signatures, which are public and are told in notes and logs.
    texts = {mark(name) for name, known in ANNOTATIONS.items() if not known.protected}
    texts -= {mark(str(field.annotation)) for field in FIELDS.values() if _is_converted(field)}
    leaks = {
        place: set(marks_in(text)) - {text.removesuffix("Qz") for text in texts}
        for place, text in {
            "notes": processed["processor_notes"],
            "logs": seen.logs,
            "metrics": seen.metrics,
            "sentry": seen.sentry,
        }.items()
    }
    assert leaks == {place: set() for place in leaks}


def _is_converted(field: Field) -> bool:
    return field.type != "string" and field.annotation is not None


def test_the_text_of_an_exception_goes_nowhere(
    crashes: Crashes, process: Callable[..., Seen]
) -> None:
    crash_id = crashes.report(annotations())
    seen = process(crash_id, Pipeline("default", [Identifiers(), Raises()]))
    processed = handles.processed_storage().load_processed_crash(crash_id)
    assert "rule 'Raises' failed: ValueError" in processed["processor_notes"]
    assert "ValueError" in seen.logs
    assert "ValueError" in seen.sentry
    assert [
        marks_in(text)
        for text in (processed["processor_notes"], seen.logs, seen.metrics, seen.sentry)
    ] == [[], [], [], []]
