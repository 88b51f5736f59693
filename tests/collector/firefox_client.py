# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash reporter of Firefox as the specification of crash reports describes it.

Not captured but built: what it sends, and how it reads the answer.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

APP_ID = "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"
BOUNDARY = "------------------------crashreporter7d9f2c"
# Of today, since old builds are rejected.
BUILD_ID = f"{datetime.now(UTC):%Y%m%d}091500"

# Its annotations are texts, and the JSON object is flat.
ANNOTATIONS: Mapping[str, str] = {
    "Add-ons": "formautofill%40mozilla.org:1.0.1,screenshots%40mozilla.org:39.0.1",
    "BuildID": BUILD_ID,
    "CrashTime": "1795339800",
    "CycleCollector": "sweeping",
    "EMCheckCompatibility": "true",
    "InstallTime": "1795250000",
    "MozCrashReason": "MOZ_RELEASE_ASSERT(mState == State::Ready)",
    "Notes": "AdapterVendorID: 0x10de, AdapterDeviceID: 0x1c82\nTextureSharing: \u2713",
    "ProcessType": "content",
    "ProductID": APP_ID,
    "ProductName": "Firefox",
    "ReleaseChannel": "nightly",
    "SecondsSinceLastCrash": "73",
    "StackTraces": json.dumps({"status": "OK", "threads": [{"frames": [{"ip": "0x1"}] * 200}]}),
    "StartupTime": "1795339000",
    "SubmittedFrom": "Client",
    "TelemetryClientId": "d0c0a9d1-5d3b-4a66-9d4c-7ac1d0b7d2b1",
    "TelemetryEnvironment": json.dumps({"system": {"os": {"name": "Linux"}}, "addons": {}}),
    "TelemetryServerURL": "https://incoming.telemetry.mozilla.org",
    "Throttleable": "1",
    "URL": "https://example.org/a?b=c",
    "UptimeTS": "800.25",
    "Vendor": "Mozilla",
    "Version": "159.0a1",
}


@dataclass(frozen=True)
class FirefoxReport:
    """A report that the crash reporter has on disk."""

    annotations: Mapping[str, str] = field(default_factory=lambda: ANNOTATIONS)
    minidump: bytes = b"MDMP\x93\xa7\x00\x00" + bytes(range(256)) * 1600
    memory_report: bytes | None = gzip.compress(b'{"version": 1, "reports": []}', mtime=0)

    @property
    def path(self) -> str:
        """The address that stands in the report: /submit with id, version and build id."""
        version = self.annotations.get("Version", "")
        return f"/submit?id={APP_ID}&version={version}&buildid={BUILD_ID}"

    def body(self) -> bytes:
        """Return the multipart body: annotations as one JSON part first, then the files."""
        parts = [
            _part("extra", "extra.json", "application/json", json.dumps(self.annotations).encode()),
            _part(
                "upload_file_minidump",
                "4e2d8a5e-2c2c-4f36-b6f3-1f2d9b9f3a11.dmp",
                "application/octet-stream",
                self.minidump,
            ),
        ]
        if self.memory_report is not None:
            parts.append(
                _part("memory_report", "a.memory.json.gz", "application/gzip", self.memory_report)
            )
        return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()

    def request(self) -> bytes:
        """Return the whole request."""
        body = self.body()
        head = (
            f"POST {self.path} HTTP/1.1\r\n"
            "Host: crash-reports.example.org\r\n"
            "User-Agent: crashreporter/1.0.0\r\n"
            "Accept: */*\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            "Expect: 100-continue\r\n"
            "\r\n"
        )
        return head.encode() + body


@dataclass(frozen=True)
class FirefoxReading:
    """What the crash reporter takes from an answer; unless `is_done` it keeps the report."""

    crash_id: str | None
    discarded: str | None
    is_done: bool


def read_answer(status: int, body: str) -> FirefoxReading:
    """Read an answer: lines of the form Name=value, of which it knows some."""
    values = dict(line.split("=", 1) for line in body.splitlines() if "=" in line)
    known = {name: values.get(name) for name in ("CrashID", "Discarded")}
    return FirefoxReading(
        known["CrashID"], known["Discarded"], status == 200 and any(known.values())
    )


def _part(name: str, filename: str, content_type: str, content: bytes) -> bytes:
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        f"Content-Type: {content_type}\r\n"
        "\r\n"
    )
    return head.encode() + content + b"\r\n"
