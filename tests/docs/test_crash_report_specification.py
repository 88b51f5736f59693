# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The specification of crash reports says what the collector does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.serving import http_refusals
from socorro.settings import load
from tests.collector.raw_http import CollectorServer

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "operator" / "crash-report-specification.md").read_text()
_ROW = re.compile(r"^\| ([45]\d\d) \| (`Discarded=[^|]+) \|", re.MULTILINE)
_BODY = re.compile(r"`Discarded=(?:malformed_)?([a-z_]+[a-z])`")
# Those make refusals; the first text among their arguments is the reason.
_MAKERS = frozenset({"Refused", "_turned_away", "Format"})


def reasons_in_code() -> Iterator[str]:
    """Yield each reason that the sources of the collector name."""
    for path in (ROOT / "collector").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                first = node.args[0] if node.args else None
                if node.func.id in _MAKERS and isinstance(first, ast.Constant):
                    yield str(first.value)
    yield from (reason for _, _, reason in http_refusals._REASONS)
    yield from http_refusals._STATUSES
    yield from http_refusals._FRAMING.values()


def test_every_refusal_is_in_the_specification_and_no_other() -> None:
    told = {reason for _, bodies in _ROW.findall(TEXT) for reason in _BODY.findall(bodies)}
    assert told == set(reasons_in_code())


@pytest.mark.parametrize(
    "limit",
    [
        "max_part_header_size",
        "max_json_depth",
        "max_json_digits",
        "max_parts",
        "max_dumps",
        "upload_min_rate",
        "max_uploads",
        "max_request_line",
        "max_headers",
        "max_header_size",
    ],
)
def test_limits_are_told_with_their_defaults(limit: str) -> None:
    assert re.search(rf"\b{getattr(load(), limit):,}\b", TEXT)


@pytest.mark.parametrize(
    ("limit", "unit", "word"),
    [
        ("max_body_size", 2**20, "MiB"),
        ("max_inflated_size", 2**20, "MiB"),
        ("inflation_ratio_from", 2**20, "MiB"),
        ("max_annotations_size", 2**20, "MiB"),
        ("max_annotation_size", 2**20, "MiB"),
        ("max_head_size", 2**10, "KiB"),
        ("upload_idle_seconds", 1, "seconds"),
        ("upload_grace_seconds", 1, "seconds"),
    ],
)
def test_sizes_and_times_are_told_with_their_defaults(limit: str, unit: int, word: str) -> None:
    assert f"{getattr(load(), limit) / unit:g} {word}" in TEXT


def test_the_example_is_taken_as_it_stands(tmp_path: Path) -> None:
    match = re.search(r"```http\n(.*?)```", TEXT, re.DOTALL)
    assert match is not None
    server = CollectorServer(tmp_path)
    server.start()
    try:
        answer = server.send(match[1].replace("\n", "\r\n").encode())
        stored = server.storage.load_raw_crash(answer.crash_id)
        names = server.storage.load_dump_names(answer.crash_id)
    finally:
        server.stop()
    own = {"metadata", "submitted_timestamp", "uuid", "version"}
    assert {name: value for name, value in stored.items() if name not in own} == {
        "ProductName": "MyApp",
        "Version": "1.0.2",
        "ReleaseChannel": "beta",
        "Comments": "It broke.",
    }
    assert names == ["upload_file_minidump"]
    assert stored["metadata"]["collector_notes"] == [
        "includes annotations in both json-encoded extra and formdata parts"
    ]


def test_the_keys_of_the_collector_are_all_told(tmp_path: Path) -> None:
    server = CollectorServer(tmp_path)
    server.start()
    try:
        body = b'--b\r\nContent-Disposition: form-data; name="A"\r\n\r\nb\r\n--b--\r\n'
        head = (
            "POST /submit HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/mixed; boundary=b\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        stored = server.storage.load_raw_crash(server.send(head.encode() + body).crash_id)
    finally:
        server.stop()
    keys = {"uuid", "submitted_timestamp", "version"} | {
        f"metadata.{name}" for name in stored["metadata"]
    }
    _, _, section = TEXT.partition("## What is stored")
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", section, re.MULTILINE)) == keys
