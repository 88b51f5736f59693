# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Posts a crash report to a collector, as a crash reporter would: `socorro send-crash`."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import click
import requests
import zstandard

from socorro import __version__
from socorro.cli.pairs import named_files, named_values
from socorro.settings import Settings

# EX_UNAVAILABLE and EX_TEMPFAIL of sysexits.h.
_NOT_REACHED = 69
_LATER = 75
_REFUSED = 1
_TIMEOUT_SECONDS = 60.0
_CHUNK = 65536
_TRY_LATER = (429, 503)
_ID = "CrashID=bp-"

COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": lambda body: zstandard.compress(body),
}


@dataclass(frozen=True)
class Report:
    """What is posted: annotations, and files by their names in the report."""

    annotations: Mapping[str, Any]
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Manner:
    """How it is posted: annotations in one JSON part, compressed, in chunks of no known length."""

    as_json: bool = False
    compression: str | None = None
    chunked: bool = False


class NotTaken(Exception):
    """The collector did not take a report, or was not reached; the text is a sentence."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def send_crash(settings: Settings, report: Report, manner: Manner, url: str | None) -> int:
    """Post a report and print its crash id; return the exit code.

    0: it is stored; 1: it was refused; 69: no collector was reached; 75: it may be taken later.
    """
    for name, path in report.files.items():
        if name.startswith("upload_file_minidump") and not _is_minidump(path):
            click.echo(f"{path} does not look like a minidump; it is sent all the same.", err=True)
    local = f"{settings.collector_address}/submit"
    try:
        crash_id = post_report(url or local, report, manner)
    except NotTaken as error:
        click.echo(f"socorro send-crash: {error}", err=True)
        return error.exit_code
    click.echo(crash_id)
    if url in (None, local):
        click.echo(f"{settings.webapp_address}/report/index/{crash_id}", err=True)
    return 0


def post_report(url: str, report: Report, manner: Manner | None = None) -> str:
    """Post a report to the address of a collector's ``/submit``; return its crash id.

    Raises NotTaken, and OSError for a file that cannot be read.
    """
    manner = manner or Manner()
    parts = list(_parts(report, as_json=manner.as_json))
    prepared = requests.Request("POST", url, files=parts).prepare()
    body = cast("bytes", prepared.body)
    headers = {
        "Content-Type": prepared.headers["Content-Type"],
        "User-Agent": f"socorro-send-crash/{__version__}",
    }
    if manner.compression is not None:
        body = COMPRESSIONS[manner.compression](body)
        headers["Content-Encoding"] = manner.compression
    try:
        answer = requests.post(
            url,
            data=_chunks(body) if manner.chunked else body,
            headers=headers,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise NotTaken(f"{url} was not reached: {error}.", _NOT_REACHED) from error
    return _crash_id_in(answer, url)


def report_of(
    minidump: Path | None, pairs: Sequence[str], file: Path | None, files: Sequence[str]
) -> Report:
    """Return the report that the options describe. Raises click.UsageError for wrong ones."""
    annotations = {**(_annotations_in(file) if file else {}), **named_values(pairs)}
    if not annotations:
        raise click.UsageError("give annotations, at least: -a ProductName=MyApp -a Version=1.0")
    main = {"upload_file_minidump": minidump} if minidump else {}
    return Report(annotations, {**main, **named_files(files)})


def address_of(url: str | None) -> str | None:
    """Return the address of ``/submit`` for that of a collector. Raises click.UsageError."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"{url!r} is no address such as https://crashes.example.org/submit")
    return url if parts.path.strip("/") else f"{url.rstrip('/')}/submit"


def _annotations_in(path: Path) -> dict[str, Any]:
    try:
        annotations = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise click.UsageError(f"{path} is no JSON that can be read: {error}") from error
    if not isinstance(annotations, dict):
        raise click.UsageError(f"{path} must hold a JSON object of annotations")
    return annotations


def _parts(report: Report, *, as_json: bool) -> Iterator[tuple[str, Any]]:
    if as_json:
        extra = json.dumps(dict(report.annotations)).encode()
        yield "extra", ("extra.json", extra, "application/json")
    else:
        for name, value in report.annotations.items():
            # Without a file's name it is sent as a field.
            yield name, (None, value if isinstance(value, str) else json.dumps(value))
    for name, path in report.files.items():
        yield name, (path.name, path.read_bytes(), "application/octet-stream")


def _chunks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK))


def _crash_id_in(answer: requests.Response, url: str) -> str:
    text = answer.text.strip()
    if answer.status_code == 200 and text.startswith(_ID):
        return text.removeprefix(_ID)
    if answer.status_code in _TRY_LATER:
        after = answer.headers.get("Retry-After", "60")
        raise NotTaken(f"{url} takes no reports now ({text}); try again in {after} s.", _LATER)
    if text.startswith("Discarded="):
        raise NotTaken(f"the report was refused: {answer.status_code} {text}.", _REFUSED)
    raise NotTaken(
        f"{url} answered {answer.status_code}, which no collector does: is the address right?",
        _REFUSED,
    )


def _is_minidump(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"MDMP", b"PMDM")
